// What the check costs. For each tier, GET /protected with 1,000 different tokens, beside the same app's unguarded twin
// and once more the twin as a control.
import { ask, figuresOf, interleave, isNoisy, leaveTheServersCore, median, progress, serverCore, shareOf, startServer } from './measure.mjs'

const redis = { REDIS_URL: process.env.REDIS_URL }

/** What is asked for (issue 5), beside the unguarded route of the same run; `bare` is a route that only asks the store. */
const rows = [
  { name: 'memory', tier: 'memory', what: 'copy in this process', env: redis, least: 0.90, mostMicros: 2 },
  { name: 'memory, 100,000 tokens', tier: 'memory', what: 'the same with a hundred times as many', env: { ...redis, MEMORY_TIER_ENTRIES: '250000', TOKEN_MEMO_ENTRIES: '250000' }, tokens: 100_000, least: 0.78, mostMicros: 5 },
  { name: 'redis', tier: 'redis', what: 'copy in Redis, memory tier off', env: { ...redis, MEMORY_TIER_ENTRIES: '0' }, least: 0.58, mostMicros: 14, bare: '/bench/one-get' },
  { name: 'mongo', tier: 'mongo', what: 'MongoDB alone, no copy anywhere', env: { MEMORY_TIER_ENTRIES: '0' }, bare: '/bench/two-finds' }
]

async function measure ({ name, tier, what, env, tokens, bare }, settings) {
  const tokenCount = tokens ?? settings.tokenCount
  progress(`${name}: starting, ${tokenCount} sessions`)
  leaveTheServersCore()
  const server = await startServer(env, { ...settings, tokenCount, core: serverCore })
  try {
    const to = (path) => server.tokens.map((token) => ({ path, headers: { authorization: `Bearer ${token}` } }))
    if (tier === 'memory') await warm(server, to('/protected'), settings)
    const samples = await interleave(server, name, { guarded: to('/protected'), unguarded: to('/bench/unguarded'), control: to('/bench/unguarded'), ...(bare && { bare: to(bare) }) }, settings)
    const sum = (field) => samples.guarded.reduce((total, { counts }) => total + counts[field], 0)
    return {
      name,
      tier,
      what,
      answeredByThisTier: sum(tier) / (sum('memory') + sum('redis') + sum('mongo')),
      ...shareOf(samples.guarded, samples.unguarded),
      control: shareOf(samples.control, samples.unguarded).share,
      addedMicros: added(samples.guarded, samples.unguarded),
      controlMicros: added(samples.control, samples.unguarded),
      guarded: figuresOf(samples.guarded),
      unguarded: figuresOf(samples.unguarded),
      ...(bare && { bare: figuresOf(samples.bare), ofBare: shareOf(samples.guarded, samples.bare) }),
      samples
    }
  } finally {
    await server.stop()
    progress('')
  }
}

/** Every token once, so that what is measured is a hit. */
async function warm (server, requests, settings) {
  for (let done = 0, last = -1; done !== last;) {
    last = done
    await ask(server, 'warm', requests, { ...settings, duration: 3 })
    const { counts } = await server.usage()
    done = counts.redis + counts.mongo
  }
}

/** Microseconds of the server's CPU that a request of one route costs above one of another, median of the rounds. */
const added = (samples, above) => median(samples.map(({ cpuMicros }, round) => cpuMicros - above[round].cpuMicros))

/** What `--short` fails on, in a run whose control holds. */
const shortBounds = { least: 0.80, mostMicros: 5, mostControlMicros: 2.5 }

/**
 * The gate of CI: memory hits ask no store, and cost no more than these bounds. A run whose control strays says nothing and is
 * made again; if none holds, the machine is too busy to judge, which is said and is no failure.
 */
export async function judgeShortly (settings) {
  for (let attempt = 1; attempt <= 3; attempt++) {
    const { share, control, addedMicros, controlMicros, answeredByThisTier } = await measure(rows[0], { ...settings, rounds: 5, seconds: 2 })
    const found = `${share.toFixed(2)} of the unguarded route, +${addedMicros.toFixed(1)} us of CPU (control ${control.toFixed(2)}, ${controlMicros.toFixed(1)} us), ${(answeredByThisTier * 100).toFixed(2)} % from memory`
    if (answeredByThisTier < 1) return fail(`a memory hit asked a store: ${found}`)
    if (isNoisy(control) || Math.abs(controlMicros) > shortBounds.mostControlMicros) {
      console.log(`bench: attempt ${attempt} is void, the machine is busy: ${found}`)
      continue
    }
    if (share < shortBounds.least || addedMicros > shortBounds.mostMicros) return fail(`the check costs more than ${shortBounds.least} or ${shortBounds.mostMicros} us: ${found}`)
    return console.log(`bench: the check is cheap enough: ${found}`)
  }
  console.log('bench: no attempt could be judged; memory hits asked no store')
}

function fail (text) {
  console.log(`bench: ${text}`)
  process.exitCode = 1
}

export async function measureCheck (settings) {
  console.log('\n## The check: GET /protected\n')
  console.log('| answered by | share of the unguarded route | spread | control | requests/s | unguarded/s | CPU µs/request | unguarded | the check | p99 ms | unguarded | share of asking the store bare |')
  console.log('|---|---|---|---|---|---|---|---|---|---|---|---|')
  const results = []
  for (const row of rows.filter(({ name }) => settings.row === undefined || name === settings.row)) {
    const result = await measure(row, settings)
    results.push(result)
    const { share, spread, control, guarded, unguarded, ofBare, addedMicros, answeredByThisTier } = result
    const faults = [...(isNoisy(control) ? ['the machine was too noisy'] : []), ...(answeredByThisTier < 0.99 ? [`only ${(answeredByThisTier * 100).toFixed(1)} % answered by this tier`] : [])]
    if (faults.length > 0) process.exitCode = 1
    const cells = [
      `${row.name} (${row.what})`, share.toFixed(2), spread.map((ratio) => ratio.toFixed(2)).join('-'), control.toFixed(2) + (faults.length > 0 ? ` VOID: ${faults.join(', ')}` : ''),
      Math.round(guarded.perSecond), Math.round(unguarded.perSecond), guarded.cpuMicros.toFixed(1), unguarded.cpuMicros.toFixed(1), `+${addedMicros.toFixed(1)}`, guarded.p99, unguarded.p99, ofBare?.share.toFixed(2) ?? ''
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
  return results
}
