// How soon all is well again: ten rounds in a row on each instance, where a round is readiness with nothing degraded, a
// check, a write for a user and a page of a guest (R-e).
import { wait } from './field.ts'
import type { Answer } from '../helper/http.ts'
import { callerAt, type Cast } from './cast.ts'
import type { Instance } from './field.ts'
import { visitorAt } from '../helper/visitors.ts'

const rounds = 10
/** Milliseconds beyond what is allowed after which it is given up. */
const patienceMs = 20_000

/** @returns milliseconds from `since`, and what was amiss last */
export async function untilRecovered (instances: readonly Instance[], cast: Cast, { since, withinMs }: { since: number, withinMs: number }): Promise<{ ms: number, last: string }> {
  const all = await Promise.all(instances.map(async (instance) => {
    let last = ''
    for (let row = 0; row < rounds && performance.now() < since + withinMs + patienceMs;) {
      const amiss = await roundAt(instance, cast)
      row = amiss === undefined ? row + 1 : 0
      if (amiss === undefined) continue
      last = `${instance.name}: ${amiss}, ${Math.round(performance.now() - since)} ms after the end of the fault`
      await wait(20)
    }
    return { ms: performance.now() - since, last }
  }))
  return { ms: Math.max(...all.map(({ ms }) => ms)), last: all.map(({ last }) => last).filter((text) => text !== '').join('; ') }
}

/** @returns what is not as it should be */
async function roundAt (instance: Instance, { prober: { accessToken: token } }: Cast): Promise<string | undefined> {
  const asked: [string, Promise<Answer>, number][] = [
    ['readiness', instance.call('/readyz'), 200],
    ['check', instance.call('/api/protected', { token }), 200],
    ['preferences', instance.call('/api/preferences', { method: 'POST', token, body: { theme: 'dark' } }), 200],
    ['guest page', visitorAt(callerAt(instance)).page('/probe'), 201]
  ]
  const found = await Promise.all(asked.map(async ([what, answer, status]) => {
    const { status: got, json } = await answer.catch((error: Error & { code?: string }) => ({ status: error.code ?? error.message, json: undefined }))
    if (got !== status) return `${what} ${got}`
    return what === 'readiness' && json?.status !== 'ready' ? `${json?.status}, redis ${json?.redis}, channel ${json?.channel}` : undefined
  }))
  return found.find((one) => one !== undefined)
}
