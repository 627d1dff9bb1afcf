// Room `visit`: notes pages and actions of users: in MongoDB before anybody is told so, many requests in one write, none
// into a visit that is over. Each gets the next number of its list. A number that is taken belongs to an entry of another
// instance, behind which ours is tried again, or is the end of the list.
import { isStoreFault, unavailable } from '../errors.ts'
import { createGroupCommit } from './group-commit.ts'
import type { Running, RunningVisits } from './running-visits.ts'
import type { VisitArchive } from './visit-archive.ts'
import { logRecord, type NumberedRecord, type VisitLog } from './visit-log.ts'
import type { Entry, EntryKind } from './visit-rules.ts'

/** How many entries there are now with this one, or why it was not taken. */
export type Outcome = number | 'full' | 'over'

export interface Note { readonly running: Running, readonly kind: EntryKind, readonly entry: Entry }

export interface VisitNotes {
  /** Rejects when MongoDB does not answer; the entry may then have been stored, or not. */
  add: (note: Note) => Promise<Outcome>
}

export interface VisitNotesOptions {
  log: VisitLog
  archive: VisitArchive
  known: RunningVisits
  mostEntries: number
}

/** Rounds in which an instance that writes to the same visits may be first each time. */
const mostRounds = 100

interface Tried { readonly note: Note, readonly place: number, readonly record: NumberedRecord }

export function createVisitNotes ({ log, archive, known, mostEntries }: VisitNotesOptions): VisitNotes {
  async function write (notes: readonly Note[]): Promise<Outcome[]> {
    const outcomes = new Array<Outcome>(notes.length).fill('over')
    try {
      let rest = [...notes.keys()]
      for (let round = 0; rest.length > 0; round++) {
        if (round === mostRounds) throw unavailable(new Error('others note pages of the same visits faster'))
        rest = await insert(notes, rest, outcomes)
      }
    } catch (error) {
      for (const { running } of notes) known.forget(running) // how far its lists are is uncertain
      throw error
    }
    return outcomes
  }

  /** Gives the next numbers to the notes at `places` and inserts them. @returns the places of those to be tried again */
  async function insert (notes: readonly Note[], places: readonly number[], outcomes: Outcome[]): Promise<number[]> {
    const tried: Tried[] = []
    for (const place of places) {
      const note = notes[place] as Note
      const { running: { visitId, next, isVoid }, kind, entry } = note
      if (isVoid) continue
      if (next[kind] >= mostEntries) outcomes[place] = 'full'
      else tried.push({ note, place, record: logRecord(visitId, kind, next[kind]++, entry) })
    }
    if (tried.length === 0) return []
    const taken = await insertOnce(tried.map(({ record }) => record))
    if (taken.size === 0) {
      for (const one of tried) accept(one, outcomes)
      return []
    }
    return await settle(tried, taken, outcomes)
  }

  /** A connection that broke leaves it open what was stored; trying again under the same numbers settles that. */
  async function insertOnce (records: readonly NumberedRecord[]): Promise<Map<NumberedRecord, Entry | null>> {
    try {
      return await log.insert(records)
    } catch (error) {
      if (!isStoreFault(error)) throw error
      return await log.insert(records)
    }
  }

  function accept ({ note: { running, entry }, place, record }: Tried, outcomes: Outcome[]): void {
    outcomes[place] = record.n + 1
    running.lastSeen = Math.max(running.lastSeen, entry.at.getTime())
  }

  async function settle (tried: readonly Tried[], taken: Map<NumberedRecord, Entry | null>, outcomes: Outcome[]): Promise<number[]> {
    const isBeaten = ({ record, note }: Tried): boolean => taken.has(record) && taken.get(record)?.id !== note.entry.id
    const contested = new Set(tried.filter(isBeaten).map(({ note }) => note.running))
    const over = new Set<Running>()
    await Promise.all([...contested].map(async (running) => {
      if (await known.reload(running)) return
      over.add(running)
      known.forget(running) // those who wait with it must not be numbered behind the end
    }))
    const rest: number[] = []
    const doubtful: Tried[] = []
    for (const one of tried) {
      if (!isBeaten(one)) (over.has(one.note.running) ? doubtful.push(one) : accept(one, outcomes))
      else if (!over.has(one.note.running)) rest.push(one.place)
    }
    await Promise.all(doubtful.map((one) => judge(one, outcomes)))
    return rest
  }

  /** Stored, but in a visit that has been ended: before its end or behind it? The archive says, and is made to. */
  async function judge (one: Tried, outcomes: Outcome[]): Promise<void> {
    const { note: { running, kind, entry }, record } = one
    const visit = await archive.complete(running.visitId)
    const list: readonly Entry[] = visit === null ? [] : kind === 'page' ? visit.pages : visit.actions
    if (list.some(({ id }) => id === entry.id)) accept(one, outcomes)
    else await log.remove([record])
  }

  const { commit } = createGroupCommit<Note, Outcome>({ write, keyOf: ({ running }) => running.visitId })
  return { add: commit }
}
