// `npm run test:soak [-- --seeds N --seconds N --seed N --bug NAME --history FOLDER --out FILE --prove]`: two instances under a
// seeded workload while instances, stores and the network between them break, and a checker that judges what the clients saw
// by the invariants I1 to I18. A seed that fails is run again with `--seed`. Exit code 1 if anything was violated.
import { parseArgs } from 'node:util'
import { writeFileSync } from 'node:fs'
import { buildIfNewer } from '../../scripts/build.mjs'
import { startEngines } from './deployment.ts'
import { addUp, emptyTotals, judge, printed } from './report.ts'
import { runSeed } from './seed-run.ts'

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '20' }, seconds: { type: 'string', default: '25' }, seed: { type: 'string' }, history: { type: 'string' }, out: { type: 'string' } } })
const first = Number(values.seed ?? 1)
const seeds = Array.from({ length: values.seed === undefined ? Number(values.seeds) : 1 }, (_, i) => first + i)
const seconds = Number(values.seconds)

const begin = performance.now()
const say = (text: string): void => { console.error(`${((performance.now() - begin) / 1000).toFixed(0).padStart(5)} s  ${text}`) }

buildIfNewer()
const teardowns: (() => unknown)[] = []
const totals = emptyTotals()
try {
  const engines = await startEngines({ teardown: (end) => { teardowns.unshift(end) } })
  for (const seed of seeds) {
    say(`seed ${seed}`)
    const history = await runSeed({ engines, seed, seconds, historyFile: values.history === undefined ? undefined : `${values.history}/seed-${seed}.jsonl`, say })
    const verdicts = judge(history)
    addUp(totals, seed, history, verdicts)
    for (const [name, { violations }] of Object.entries(verdicts)) for (const text of violations.slice(0, 5)) say(`FAIL seed ${seed} ${name}: ${text}`)
    say(`seed ${seed}: ${history.calls.length} calls, ${history.faults.length} faults, ${Object.values(verdicts).reduce((sum, { violations }) => sum + violations.length, 0)} violations`)
  }
} finally {
  for (const end of teardowns) await end()
}
console.log(printed(totals))
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(totals, null, 2)}\n`)
process.exitCode = totals.failedSeeds.length > 0 ? 1 : 0
