// What the clean-up takes out once every session has ended, in batches of which length, and what requests feel of it.
import { until } from '../helper/service.ts'
import { callHttp } from '../helper/http.ts'
import { health, signIn } from './crowd.ts'
import { sizesOf, type Sizes, type Stores } from './fill.ts'
import type { Instances, Line } from './instances.ts'
import { inMs, watch, type Note } from './measure.ts'
import { watchStalls } from './stalls.ts'

const longestBatchMs = 50

interface Run extends Line { sessions: number, counted: number, longestBatchMs: number }
interface SlowBatch extends Line { time: number, batchMs: number, size: number }

/** @param beside keys in Redis that are not over */
export async function measureCleanUp ({ origins, linesOf }: Instances, stores: Stores, { full, beside, note, say }: { full: Sizes, beside: number, note: Note, say: (text: string) => void }): Promise<void> {
  const [origin] = origins
  const { redis } = stores
  await redis.config('SET', 'slowlog-log-slower-than', '5000') // microseconds
  await redis.slowlog('RESET')
  const begin = performance.now()
  const { accessToken: token } = await signIn(origin, 0)
  const hasHealth = (await callHttp(origin, health)).status === 200
  const doors = { '/livez': {}, '/api/protected': { token }, '/api/auth/sessions': { token }, ...(hasHealth && { [health]: {} }) }
  const runs = () => linesOf('clean-up').filter((line) => 'longestBatchMs' in line) as Run[]
  const stalls = await watchStalls()
  const taken = await watch(origin, doors, () => runs().length > 0)
  const stalled = await stalls.stop()
  const run = runs()[0] as Run
  const seconds = (performance.now() - begin) / 1000
  say(`the first run has ended: ${JSON.stringify(run)}`)

  note('what the clean-up took out', `${run.sessions} sessions and ${run.counted} members of counters in ${seconds.toFixed(0)} s`)
  const slow = (linesOf('clean-up').filter((line) => 'batchMs' in line) as SlowBatch[])
    .map(({ time, batchMs }) => ({ batchMs, ownMs: batchMs - stalled.within(time - batchMs, time) }))
  note('its longest batch', `${run.longestBatchMs} ms`, { text: `at most ${longestBatchMs} ms`, isMet: run.longestBatchMs <= longestBatchMs })
  note('batches above 50 ms, and what of each is left without the machine\'s own stalls', slow.map(({ batchMs, ownMs }) => `${batchMs}: ${ownMs.toFixed(0)} ms`).join(', ') || 'none')
  note('the machine\'s own stalls meanwhile', `${stalled.count} of ${stalled.leastMs} ms and more on a core, the longest ${stalled.mostMs.toFixed(0)} ms`)
  for (const [path, all] of Object.entries(taken)) note(`${path} while it works`, inMs(all))
  const slowCommands = await redis.slowlog('GET', '10') as [number, number, number, string[]][]
  note('commands of 5 ms and more in Redis meanwhile', slowCommands.map(([, , micros, [name, ...args]]) => `${name} ${args.at(-1)?.slice(0, 12)} ${(micros / 1000).toFixed(1)} ms`).join('; ') || 'none')

  let left = await sizesOf(stores)
  await until(async () => (left = await sizesOf(stores)).keys <= full.keys / 100 + beside, 'copies have run out', 60_000).catch(() => { /* it is a row */ })
  for (const [what, name, others] of [['documents of sessions', 'documents', 0], ['members of the counters', 'members', 0], ['keys of Redis (DBSIZE)', 'keys', beside]] as const) {
    note(`${what} that are left`, `${left[name]} of ${full[name]}`, { text: `within 1 % of empty${others > 0 ? `, and ${others} of the doors` : ''}`, isMet: left[name] <= full[name] / 100 + others })
  }
}
