// What the check costs. For each tier, GET /protected with 1,000 different tokens, beside the same app's unguarded twin
// and once more the twin as a control.
import { figuresOf, interleave, isNoisy, progress, shareOf, startServer } from './measure.mjs'

const tiers = [
  { name: 'memory', what: 'copy in this process', env: { REDIS_URL: process.env.REDIS_URL } },
  { name: 'redis', what: 'copy in Redis, memory tier off', env: { REDIS_URL: process.env.REDIS_URL, MEMORY_TIER_ENTRIES: '0' } },
  { name: 'mongo', what: 'MongoDB alone, no copy anywhere', env: { MEMORY_TIER_ENTRIES: '0' } }
]

async function measure ({ name, what, env }, settings) {
  progress(`${name}: starting, ${settings.tokenCount} sessions`)
  const server = await startServer(env, settings)
  try {
    const to = (path) => server.tokens.map((token) => ({ path, headers: { authorization: `Bearer ${token}` } }))
    const samples = await interleave(server, name, { guarded: to('/protected'), unguarded: to('/bench/unguarded'), control: to('/bench/unguarded') }, settings)
    const sum = (field) => samples.guarded.reduce((total, { counts }) => total + counts[field], 0)
    return {
      tier: name,
      what,
      answeredByThisTier: sum(name) / (sum('memory') + sum('redis') + sum('mongo')),
      ...shareOf(samples.guarded, samples.unguarded),
      control: shareOf(samples.control, samples.unguarded).share,
      guarded: figuresOf(samples.guarded),
      unguarded: figuresOf(samples.unguarded),
      samples
    }
  } finally {
    await server.stop()
    progress('')
  }
}

export async function measureCheck (settings) {
  console.log('\n## The check: GET /protected\n')
  console.log('| answered by | share of the unguarded route | spread | control | requests/s | unguarded/s | CPU µs/request | unguarded | the check | p99 ms |')
  console.log('|---|---|---|---|---|---|---|---|---|---|')
  const results = []
  for (const tier of tiers) {
    const result = await measure(tier, settings)
    results.push(result)
    const { share, spread, control, guarded, unguarded, answeredByThisTier } = result
    const faults = [...(isNoisy(control) ? ['the machine was too noisy'] : []), ...(answeredByThisTier < 0.99 ? [`only ${(answeredByThisTier * 100).toFixed(1)} % answered by this tier`] : [])]
    if (faults.length > 0) process.exitCode = 1
    const cells = [
      `${tier.name} (${tier.what})`, share.toFixed(2), spread.map((ratio) => ratio.toFixed(2)).join('-'), control.toFixed(2) + (faults.length > 0 ? ` VOID: ${faults.join(', ')}` : ''),
      Math.round(guarded.perSecond), Math.round(unguarded.perSecond), guarded.cpuMicros.toFixed(1), unguarded.cpuMicros.toFixed(1), `+${(guarded.cpuMicros - unguarded.cpuMicros).toFixed(1)}`, guarded.p99
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
  return results
}
