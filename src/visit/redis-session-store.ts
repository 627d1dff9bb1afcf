// Room `visit`: the store under @fastify/session (get, set, destroy with callbacks, as its interface wants it). It keeps
// who a visitor is and nothing else: pages and actions are added by atomic commands beside it, because a session that is
// saved as a whole loses what others add meanwhile (measured: 19 of 20 parallel pages). A store that does not answer is
// an error (503), never "no session": that would clear the cookies of all visitors during an outage.
import type { SessionRecords } from './guest-store.ts'
import { parseVisitor, type VisitorId } from './visit-rules.ts'

/** What a session holds beside its cookie. */
export interface VisitIdentity { visitId?: string }

type Done = (error?: unknown) => void
type Got = (error: unknown, session?: VisitIdentity | null) => void

export class RedisSessionStore {
  readonly #records: SessionRecords

  /** @param records where they stand, with their lifetime: Redis, or this process without one */
  constructor (records: SessionRecords) {
    this.#records = records
  }

  /** @param sessionId as in the cookie, without its signature */
  get (sessionId: string, callback: Got): void {
    const visitor = parseVisitor(sessionId)
    if (visitor === undefined) callback(null, null)
    else this.#records.get(visitor).then((text) => { callback(null, identityOf(text, visitor)) }, callback)
  }

  set (sessionId: string, { visitId }: VisitIdentity, callback: Done): void {
    const visitor = parseVisitor(sessionId)
    if (visitor === undefined) callback(new Error('this is no id of a visitor'))
    else this.#records.set(visitor, recordText({ ...(visitId !== undefined && { visitId }) })).then(() => { callback() }, callback)
  }

  destroy (sessionId: string, callback: Done): void {
    const visitor = parseVisitor(sessionId)
    if (visitor === undefined) callback()
    else this.#records.delete(visitor).then(() => { callback() }, callback)
  }
}

/** What the store writes for a visitor. */
export const recordText = (identity: VisitIdentity): string => JSON.stringify(identity)

/** A record counts for the visit that its key names only. */
function identityOf (text: string | null, { visitId }: VisitorId): VisitIdentity | null {
  if (text === null) return null
  try {
    return (JSON.parse(text) as VisitIdentity | null)?.visitId === visitId ? { visitId } : null
  } catch {
    return null
  }
}
