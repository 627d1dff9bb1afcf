// Room `visit`: the store of guests' visits behind a breaker, so that an outage costs its time-out a few times and then
// nothing. A store that does not answer is `unavailable`: a visit is never judged by its silence. The job's list of what is
// due goes past the breaker: it is asked once a minute.
import type { Breaker } from '../cache/breaker.ts'
import { LatchkeyError, unavailable } from '../errors.ts'
import type { GuestStore } from './guest-store.ts'

export function createGuardedGuestStore (store: GuestStore, breaker: Breaker): GuestStore {
  async function guarded<T> (work: () => Promise<T>): Promise<T> {
    if (!breaker.allows()) throw unavailable(new Error('the store of visits is passed by'))
    try {
      const answer = await work()
      breaker.succeeded()
      return answer
    } catch (error) {
      breaker.failed()
      throw error instanceof LatchkeyError ? error : unavailable(error)
    }
  }
  return {
    records: {
      get: (visitor) => guarded(() => store.records.get(visitor)),
      set: (visitor, text) => guarded(() => store.records.set(visitor, text)),
      delete: (visitor) => guarded(() => store.records.delete(visitor))
    },
    create: (visitId, now) => guarded(() => store.create(visitId, now)),
    append: (visitor, kind, entry, now) => guarded(() => store.append(visitor, kind, entry, now)),
    touch: (visitId, now) => guarded(() => store.touch(visitId, now)),
    read: (visitId, slice, now) => guarded(() => store.read(visitId, slice, now)),
    end: (visitor, now, member) => guarded(() => store.end(visitor, now, member)),
    due: (now) => store.due(now),
    settle: (visitId, now) => guarded(() => store.settle(visitId, now)),
    hasten: (visitId, now) => guarded(() => store.hasten(visitId, now)),
    drop: (visitId) => guarded(() => store.drop(visitId))
  }
}
