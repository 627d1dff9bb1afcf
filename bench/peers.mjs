// What the alternatives cost on this machine, and ours mounted in such an app as theirs: each an honest minimal server
// (bench/peers), its guarded route interleaved with its own unguarded one, with a Fastify route without any check (the
// reference), and with the reference once more as a control. Before it is measured, each must refuse a stranger and a forged
// credential, and know its people.
import { Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import { alternatives, cellsOf, heads, resultOf } from './alternatives.mjs'
import { installPeers } from './install-peers.mjs'
import { forkServer, isNoisy, leaveTheServersCore, progress, serverCore } from './measure.mjs'
import { takeTurns } from './turns.mjs'

/** @returns the server and the requests of its two routes */
async function start ({ file, variant = '' }, settings) {
  const server = await forkServer(`./peers/${file}.mjs`, { REDIS_URL: process.env.REDIS_URL, BENCH_VARIANT: variant, NODE_NO_WARNINGS: '1' }, { ...settings, core: serverCore })
  const to = (path) => server.requests.map((headers) => ({ path, headers }))
  return { server, guarded: to('/guarded'), unguarded: to('/unguarded') }
}

/** Spoils a credential near its end, where signatures are. */
const forge = (headers) => Object.fromEntries(Object.entries(headers).map(([name, value]) => {
  const at = value.length - 12
  return [name, value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1)]
}))

/** A server that lets anybody in, or takes everybody for one person, is not worth a measurement. */
async function prove (name, { server, guarded, unguarded }) {
  const get = async ({ path, headers }) => {
    const response = await fetch(server.origin + path, { headers })
    return { status: response.status, body: await response.json() }
  }
  const [first, last, open] = await Promise.all([guarded[0], guarded.at(-1), unguarded[0]].map(get))
  const shape = ({ body }) => JSON.stringify([Object.keys(body), Object.keys(body.user ?? {})])
  for (const answer of [first, last, open]) if (answer.status !== 200 || shape(answer) !== shape(open)) throw new Error(`${name} answers ${answer.status} ${JSON.stringify(answer.body)}`)
  if (guarded.length > 50 && first.body.user.id === last.body.user.id) throw new Error(`${name} takes everybody for ${first.body.message}`)
  for (const headers of [{}, forge(guarded[0].headers)]) {
    const { status } = await get({ path: guarded[0].path, headers })
    if (status !== 401) throw new Error(`${name} answers a stranger with ${status}`)
  }
}

/** How many commands of each store one request needs, of sessions that were asked for before. */
async function countOperations ({ server, guarded }, stores) {
  const some = guarded.slice(0, 100)
  const ask = async () => { for (const { path, headers } of some) await (await fetch(server.origin + path, { headers })).text() }
  await ask()
  const before = await stores.counts()
  await ask()
  const after = await stores.counts()
  const perRequest = (store, own = 0) => Math.max(0, Math.round((after[store] - before[store] - own) / some.length * 10) / 10)
  return { redis: perRequest('redis', 1), mongo: perRequest('mongo') } // one: our own question
}

async function connectStores () {
  const client = new Redis(process.env.REDIS_URL)
  const mongo = await new MongoClient(process.env.MONGODB_URI).connect()
  return {
    counts: async () => {
      const { opcounters: { query, insert, update, delete: removed } } = await mongo.db('admin').command({ serverStatus: 1 })
      return { redis: Number(/total_commands_processed:(\d+)/.exec(await client.info('stats'))[1]), mongo: query + insert + update + removed }
    },
    close: async () => {
      client.disconnect()
      await mongo.close()
    }
  }
}

async function measure (row, reference, stores, settings) {
  progress(`${row.name}: starting, ${settings.tokenCount} sessions`)
  const peer = await start(row, settings)
  try {
    await prove(row.name, peer)
    const operations = await countOperations(peer, stores)
    // the same requests, so that what they weigh on the wire is on both sides
    const bare = { server: reference.server, requests: peer.unguarded }
    const { guarded, unguarded } = peer
    return resultOf(row, await takeTurns(peer.server, row.name, { guarded, reference: bare, unguarded, control: bare }, settings), operations)
  } finally {
    await peer.server.stop()
    progress('')
  }
}

/**
 * Measures ours and the alternatives and prints a table.
 * @param settings those of the bench; `peers`: names of the ones to measure, instead of all
 * @returns a result for each, none where the alternatives cannot be installed
 */
export async function measurePeers (settings) {
  try {
    await installPeers()
  } catch (error) {
    console.log(`\nthe alternatives are not measured, because they cannot be installed: ${error.message}`)
    process.exitCode = 1
    return []
  }
  console.log('\n## The alternatives\n')
  console.log(`| ${heads.join(' | ')} |`)
  console.log(`|${'---|'.repeat(heads.length)}`)
  const results = []
  leaveTheServersCore()
  const stores = await connectStores()
  const reference = await start({ file: 'fastify' }, settings)
  try {
    for (const row of alternatives.filter(({ name }) => settings.peers?.includes(name) ?? true)) {
      const result = await measure(row, reference, stores, settings)
      results.push(result)
      if (isNoisy(result.control)) process.exitCode = 1
      console.log(`| ${cellsOf(result).join(' | ')} |`)
    }
  } finally {
    await reference.server.stop()
    await stores.close()
  }
  return results
}
