// Room `visit`: what a visit is (one browsing session of a guest or a user) and when it runs. Pure: values in, answers out.
import { badCursor } from '../schemas/time-cursor.ts'
import type { Member } from '../session/session-rules.ts'

/** What a visit is a list of. */
export type EntryKind = 'page' | 'action'

interface Noted {
  /** Random; so that a write that is made twice is stored once. */
  readonly id: string
  readonly at: Date
}

export interface PageEntry extends Noted { readonly pageId: string }

export type Details = Readonly<Record<string, string | number | boolean>>

export interface ActionEntry extends Noted { readonly action: string, readonly target: string | null, readonly details: Details | null }

export type Entry = PageEntry | ActionEntry

/** A visit as its visitor sees it, with a part of one of its lists. */
export interface VisitView<E extends Entry = Entry> {
  readonly id: string
  readonly startTime: Date
  /** Of a visit that is over. */
  readonly endTime: Date | null
  readonly pageCount: number
  readonly actionCount: number
  readonly entries: readonly E[]
}

/** What a visitor gets to see: a view, how long the visit has lasted, and where the list goes on. */
export interface Shown extends VisitView { readonly durationSeconds: number, readonly nextCursor: string | null }

/** A visit that is over, whole. */
export interface EndedVisit {
  readonly id: string
  readonly member: Member | null
  readonly startTime: Date
  readonly endTime: Date
  readonly pages: readonly PageEntry[]
  readonly actions: readonly ActionEntry[]
}

/** A part of a list. */
export interface Slice { readonly kind: EntryKind, readonly offset: number, readonly limit: number }

/** A part of a list as a client asks for it: from the beginning, or from where a part before it ended. */
export interface ListPage { readonly kind: EntryKind, readonly limit: number, readonly cursor?: string | undefined }

/** Rules of a deployment. */
export interface VisitLimits {
  /** Milliseconds without a page, an action or a renewal after which a visit is over. */
  readonly idleMs: number
  /** Most pages, and apart from them actions, of one visit. */
  readonly mostEntries: number
}

/** Whether a visit that was last seen then is over now. Milliseconds since the epoch. */
export const isIdle = (lastSeen: number, now: number, idleMs: number): boolean => lastSeen + idleMs <= now

/** Whole seconds from the start to the end, or to now while it runs. */
const durationOf = ({ startTime, endTime }: Pick<VisitView, 'startTime' | 'endTime'>, now: number): number =>
  Math.max(0, Math.floor(((endTime?.getTime() ?? now) - startTime.getTime()) / 1000))

/** @param now milliseconds since the epoch */
export const shown = (view: VisitView, { kind, offset }: Slice, now: number): Shown => ({
  ...view,
  durationSeconds: durationOf(view, now),
  nextCursor: cursorAt(offset + view.entries.length, kind === 'page' ? view.pageCount : view.actionCount)
})

/** What a visitor notes of a page or an action. */
export type NoteInput =
  | { readonly kind: 'page', readonly pageId: string }
  | { readonly kind: 'action', readonly action: string, readonly target?: string | undefined, readonly details?: Details | undefined }

/** @param id random, see `Entry`. @param now milliseconds since the epoch */
export function entryOf (input: NoteInput, id: string, now: number): Entry {
  const at = new Date(now)
  return input.kind === 'page'
    ? { id, pageId: input.pageId, at }
    : { id, action: input.action, target: input.target ?? null, details: input.details ?? null, at }
}

/** A visit of a guest is found by its id and proven by the cookie's own: 128 and 192 random bits. */
export interface VisitorId { readonly visitId: string, readonly cookieId: string }

export const newVisitId = (randomBytes: (size: number) => Buffer): string => randomBytes(16).toString('base64url')

export const newVisitorId = (randomBytes: (size: number) => Buffer, visitId = newVisitId(randomBytes)): VisitorId =>
  ({ visitId, cookieId: randomBytes(24).toString('base64url') })

/** As it stands in the cookie. */
export const visitorText = ({ visitId, cookieId }: VisitorId): string => `${visitId}.${cookieId}`

const visitorForm = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{32})$/

/** @returns undefined for a text of another form */
export function parseVisitor (text: string): VisitorId | undefined {
  const [, visitId, cookieId] = visitorForm.exec(text) ?? []
  return visitId === undefined || cookieId === undefined ? undefined : { visitId, cookieId }
}

/** The cursor of the entries from `offset` on, or null where a list ends. Lists only grow at their end, so a place stays a place. */
const cursorAt = (offset: number, count: number): string | null => offset < count ? Buffer.from(`at:${offset}`).toString('base64url') : null

/** @throws LatchkeyError `validation_failed` for a cursor that is none of ours */
export function sliceOf ({ kind, limit, cursor }: ListPage): Slice {
  if (cursor === undefined) return { kind, limit, offset: 0 }
  const [, digits] = /^at:(0|[1-9][0-9]{0,6})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (digits === undefined) throw badCursor()
  return { kind, limit, offset: Number(digits) }
}
