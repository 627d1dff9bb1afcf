// Room `visit`: the visits of guests, who are known by a signed cookie alone. They live in the store of guests and come
// into MongoDB when they are over. Noting something is one round trip to the store.
import type { Clock } from '../clock.ts'
import { LatchkeyError, unavailable } from '../errors.ts'
import type { LoginLimits } from '../limit/login-limits.ts'
import type { GuestStore } from './guest-store.ts'
import { recordText } from './redis-session-store.ts'
import type { VisitArchive } from './visit-archive.ts'
import type { Member } from '../session/session-rules.ts'
import { entryOf, newVisitorId, parseVisitor, shown, sliceOf, visitorText, type EndedVisit, type ListPage, type NoteInput, type Shown, type VisitorId } from './visit-rules.ts'

export interface GuestVisits {
  /**
   * A visit under this id; the caller records the identity.
   * @param address of the client
   * @throws LatchkeyError `rate_limited`, `unavailable`
   */
  begin: (visitId: string, address: string) => Promise<void>
  /** Renews the idle time. @returns whether the visit runs */
  renew: (visitId: string) => Promise<boolean>
  /** @throws LatchkeyError `visit_not_found`, `unavailable` */
  show: (visitId: string, page: ListPage) => Promise<Shown>
  /** The same for whom the cookie alone says who it is. */
  showTo: (visitor: string, page: ListPage) => Promise<Shown>
  /** @param visitor as the cookie says. @returns the visit as it stands in the archive. @throws LatchkeyError `visit_not_found`, `unavailable` */
  end: (visitor: string, page: ListPage) => Promise<Shown>
  /**
   * Notes a page or an action; begins a visit if none runs for this visitor.
   * @param visitor as the cookie says
   * @param address of the client
   * @returns with `begun` for the cookie, if it began one
   * @throws LatchkeyError `visit_full`, `rate_limited`, `unavailable`
   */
  note: (visitor: string | undefined, input: NoteInput, address: string) => Promise<{ at: Date, count: number, begun: string | null }>
  /** Ends a visit for the user that the guest has become: its cookie reads nothing any more. @returns null if none runs */
  take: (visitor: VisitorId, member: Member) => Promise<EndedVisit | null>
}

export interface GuestVisitsOptions {
  store: GuestStore
  archive: VisitArchive
  clock: Clock
  randomBytes: (size: number) => Buffer
  /** Counts a visit that an address begins. @throws LatchkeyError `rate_limited` */
  admit: LoginLimits['reserveVisit']
}

export function createGuestVisits ({ store, archive, clock, randomBytes, admit }: GuestVisitsOptions): GuestVisits {
  async function begin (visitId: string, address: string): Promise<void> {
    const { giveBack } = await admit(address)
    try {
      await store.create(visitId, clock.wall())
    } catch (error) {
      await giveBack()
      throw error
    }
  }

  async function show (visitId: string, page: ListPage): Promise<Shown> {
    const slice = sliceOf(page)
    const view = await store.read(visitId, slice, clock.wall())
    if (view === null) throw new LatchkeyError('visit_not_found')
    return shown(view, slice, clock.wall())
  }

  return {
    begin,
    renew: (visitId) => store.touch(visitId, clock.wall()),

    show,
    async showTo (text, page) {
      const visitor = parseVisitor(text)
      if (visitor === undefined || await store.records.get(visitor) === null) throw new LatchkeyError('visit_not_found')
      return await show(visitor.visitId, page)
    },

    async end (text, page) {
      const slice = sliceOf(page)
      const visitor = parseVisitor(text)
      const ended = visitor === undefined ? null : await store.end(visitor, clock.wall())
      if (ended === null) throw new LatchkeyError('visit_not_found')
      await archive.keepGuest(ended).catch(async (error: unknown) => {
        await store.hasten(ended.id, clock.wall()).catch(() => { /* it is due when it would have been idle */ })
        throw error
      })
      const { id, startTime, endTime, pages, actions } = ended
      const entries = (slice.kind === 'page' ? pages : actions).slice(slice.offset, slice.offset + slice.limit)
      return shown({ id, startTime, endTime, pageCount: pages.length, actionCount: actions.length, entries }, slice, clock.wall())
    },

    async note (text, input, address) {
      const visitor = text === undefined ? undefined : parseVisitor(text)
      const entry = entryOf(input, randomBytes(9).toString('base64url'), clock.wall())
      const append = async (to: VisitorId) => await store.append(to, input.kind, entry, clock.wall())
      const count = visitor === undefined ? 'none' : await append(visitor)
      if (count === 'full') throw new LatchkeyError('visit_full')
      if (count !== 'none') return { at: entry.at, count, begun: null }

      for (let tries = 0; tries < 2; tries++) {
        const begun = newVisitorId(randomBytes)
        await begin(begun.visitId, address)
        await store.records.set(begun, recordText({ visitId: begun.visitId }))
        const first = await append(begun)
        if (typeof first === 'number') return { at: entry.at, count: first, begun: visitorText(begun) }
      }
      throw unavailable(new Error('the store loses what it is given'))
    },

    take: (visitor, member) => store.end(visitor, clock.wall(), member)
  }
}
