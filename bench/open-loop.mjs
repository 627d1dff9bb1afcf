// Load that does not wait: requests are due at a fixed rate whatever becomes of those before, and each latency counts from when
// its request was due, so that none which had to wait for a connection is left out.
import { createHistogram } from 'node:perf_hooks'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { bytesOf, openConnection } from './turns.mjs'

const pause = new Int32Array(new SharedArrayBuffer(4))

/** A timer is late by 1 to 2 ms, which would count as the server's; going round without a pause would starve who shares the core. */
async function untilDue (at) {
  if (at - performance.now() > 3) return await sleep(1)
  Atomics.wait(pause, 0, 0, 0.1) // ms
  await nextTurn()
}

/**
 * @param rate requests a second
 * @returns `perSecond` answered, and milliseconds: `p50`, `p90`, `p99`, `p99_9`, `max`
 */
export async function askAtRate (origin, requests, { rate, seconds, connections }) {
  const address = new URL(origin)
  const bytes = requests.map((request) => bytesOf(request, address.host))
  const latencies = createHistogram()
  const due = [] // when those were due that wait for a connection
  const idle = []
  let [sent, answered, isOver] = [0, 0, false]
  const open = await Promise.all(Array.from({ length: connections }, async () => {
    let dueAt = 0
    const connection = await openConnection(address, {
      nextRequest () {
        dueAt = due.shift()
        return dueAt === undefined ? undefined : bytes[sent++ % bytes.length]
      },
      onAnswer () {
        answered++
        latencies.record(Math.max(1, Math.round((performance.now() - dueAt) * 1000)))
      },
      onIdle () { idle.push(connection) }
    })
    return connection
  }))
  idle.push(...open)
  const begin = performance.now()
  for (let made = 0; !isOver;) {
    const now = performance.now()
    isOver = now - begin >= seconds * 1000
    for (; made < (now - begin) * rate / 1000; made++) due.push(begin + made * 1000 / rate)
    while (due.length > 0 && idle.length > 0) idle.shift().sendNext()
    await untilDue(begin + made * 1000 / rate)
  }
  while (idle.length < open.length) await sleep(1)
  const elapsed = (performance.now() - begin) / 1000
  for (const { close } of open) close()
  const at = (share) => latencies.percentile(share) / 1000
  return { perSecond: answered / elapsed, p50: at(50), p90: at(90), p99: at(99), p99_9: at(99.9), max: latencies.max / 1000 }
}
