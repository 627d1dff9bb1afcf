// The fine measurement: routes of one server take short turns over the same open connections. This machine's speed drifts by a
// third within a minute, so rounds of seconds differ by more than what a check costs; turns of some 70 ms that follow each other
// do not, and hundreds of them tell a microsecond.
import { once } from 'node:events'
import { connect } from 'node:net'
import { createHistogram } from 'node:perf_hooks'
import { progress } from './measure.mjs'

const turnMs = 70

/** A connection that sends a request whenever the one before was answered, as long as there is one to send. */
export async function openConnection ({ hostname, port }, { nextRequest, onAnswer, onIdle }) {
  const socket = connect(Number(port), hostname).setNoDelay(true)
  await once(socket, 'connect')
  let missing = 0
  let sentAt = 0
  const sendNext = () => {
    const request = nextRequest()
    if (request === undefined) return onIdle()
    sentAt = performance.now()
    socket.write(request)
  }
  socket.on('data', (chunk) => {
    if (missing === 0) {
      const end = chunk.indexOf('\r\n\r\n')
      const head = chunk.latin1Slice(0, end)
      const [, length] = /\r\ncontent-length: (\d+)/i.exec(head) ?? []
      if (!head.startsWith('HTTP/1.1 200') || length === undefined) throw new Error(`not the answer of this route:\n${head}`)
      missing = end + 4 + Number(length)
    }
    missing -= chunk.length
    if (missing > 0) return
    onAnswer(performance.now() - sentAt)
    sendNext()
  })
  return { sendNext, close: () => { socket.destroy() } }
}

async function openLoad (origin, connections) {
  const address = new URL(origin)
  let requests = []
  let at = 0
  let left = 0
  let busy = 0
  let settle
  let latencies
  const nextRequest = () => left-- > 0 ? requests[at++ % requests.length] : undefined
  const onIdle = () => { if (--busy === 0) settle() }
  const onAnswer = (ms) => { latencies.record(Math.max(1, Math.round(ms * 1000))) }
  const open = await Promise.all(Array.from({ length: connections }, () => openConnection(address, { nextRequest, onAnswer, onIdle })))
  return {
    /** Sends so many requests, going round; resolves when the last one is answered. Notes microseconds in the histogram. */
    run: (list, count, histogram) => new Promise((resolve) => {
      requests = list
      latencies = histogram
      left = count
      busy = connections
      settle = resolve
      for (const { sendNext } of open) sendNext()
    }),
    close: () => { for (const { close } of open) close() }
  }
}

/** A request as it goes over the wire. */
export const bytesOf = ({ path, headers }, host) =>
  Buffer.from(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)

async function turn ({ server, load, requests, histogram }, count) {
  const before = await server.usage()
  const begin = performance.now()
  await load.run(requests, count, histogram)
  const ms = performance.now() - begin
  const after = await server.usage()
  const cpu = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system
  const counts = Object.fromEntries(Object.keys(after.counts ?? {}).map((tier) => [tier, after.counts[tier] - before.counts[tier]]))
  return { count, perSecond: count / ms * 1000, cpuMicros: cpu / count, counts }
}

/**
 * @param routes requests by name; `{ server, requests }` for a route of another server
 * @returns samples by name, one a turn: `count` of requests, `perSecond`, `cpuMicros` of the server for a request, and the `counts` of its tiers;
 * `p50` and `p99` are milliseconds of all turns together
 */
export async function takeTurns (server, title, routes, { turns, connections }) {
  const loads = new Map()
  const players = []
  try {
    for (const [name, route] of Object.entries(routes)) {
      const { server: host = server, requests = route } = route
      if (!loads.has(host)) loads.set(host, await openLoad(host.origin, connections))
      const player = { name, server: host, load: loads.get(host), requests: requests.map((request) => bytesOf(request, new URL(host.origin).host)), histogram: createHistogram(), samples: [] }
      progress(`${title}: warming up, ${name}`)
      await turn(player, Math.max(2000, requests.length)) // each request once: what is measured is a hit
      const { perSecond } = await turn(player, 2000)
      players.push({ ...player, histogram: createHistogram(), count: Math.max(connections * 2, Math.round(perSecond * turnMs / 1000)) })
    }
    for (let round = 0; round < turns; round++) {
      progress(`${title}: turn ${round + 1} of ${turns}`)
      for (let i = 0; i < players.length; i++) {
        const player = players[(i + round) % players.length]
        player.samples.push(await turn(player, player.count))
      }
    }
  } finally {
    for (const { close } of loads.values()) close()
    progress('')
  }
  return Object.fromEntries(players.map(({ name, samples, histogram }) => {
    const [p50, p99] = [50, 99].map((share) => histogram.percentile(share) / 1000)
    return [name, samples.map((sample) => ({ ...sample, p50, p99 }))]
  }))
}
