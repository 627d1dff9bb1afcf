// `npm run test:soak [-- --seeds N --seconds N --seed N --history FOLDER --again --bug NAME --prove --page --out FILE]`: two
// instances under a seeded workload while instances, stores and the network between them break, and a checker that judges what
// the clients saw by the invariants I1 to I18. `--seed` begins with that one (and is the only one without `--seeds`), `--again`
// judges the histories of a folder once more, `--prove` proves the checker, `--page` writes docs/reliability.md. Exit code 1 if
// anything was violated.
import { parseArgs } from 'node:util'
import { mkdirSync, writeFileSync } from 'node:fs'
import { buildIfNewer } from '../../scripts/build.mjs'
import { importOf, isProven, prove, type Proof } from './bugs/prove.ts'
import { startEngines, type Engines } from './deployment.ts'
import { addUp, emptyTotals, judge, printed, printedProofs } from './report.ts'
import { readHistory, type History } from './history.ts'
import { writePart } from './page.ts'
import { rules } from './rules.ts'
import { runSeed } from './seed-run.ts'

const { values } = parseArgs({ options: { seeds: { type: 'string' }, seconds: { type: 'string', default: '20' }, seed: { type: 'string' }, history: { type: 'string' }, out: { type: 'string' }, bug: { type: 'string' }, prove: { type: 'boolean', default: false }, page: { type: 'boolean', default: false }, again: { type: 'boolean', default: false } } })
const first = Number(values.seed ?? 1)
const seeds = Array.from({ length: Number(values.seeds ?? (values.seed === undefined ? 20 : 1)) }, (_, i) => first + i)
const seconds = Number(values.seconds)

const begin = performance.now()
const say = (text: string): void => { console.error(`${((performance.now() - begin) / 1000).toFixed(0).padStart(5)} s  ${text}`) }

const totals = emptyTotals()
const proofs: Proof[] = []

async function runAndJudge (engines: Engines, seed: number): Promise<void> {
  say(`seed ${seed}`)
  judgeHistory(seed, await runSeed({ engines, seed, seconds, rules, historyFile: historyOf(seed), imports: values.bug === undefined ? [] : [importOf(values.bug)], say }))
}

const historyOf = (seed: number): string | undefined => values.history === undefined ? undefined : `${values.history}/seed-${seed}.jsonl`

function judgeHistory (seed: number, history: History): void {
  const verdicts = judge(history, rules)
  addUp(totals, seed, history, verdicts)
  for (const [name, { violations }] of Object.entries(verdicts)) for (const text of violations.slice(0, 5)) say(`FAIL seed ${seed} ${name}: ${text}`)
  say(`seed ${seed}: ${history.calls.length} calls, ${history.faults.length} faults, ${Object.values(verdicts).reduce((sum, { violations }) => sum + violations.length, 0)} violations`)
}

const teardowns: (() => unknown)[] = []
const endAll = async (): Promise<void> => { for (const end of teardowns.splice(0)) await end() }

async function runAll (): Promise<void> {
  const engines = await startEngines({ teardown: (end) => { teardowns.unshift(end) } })
  if (values.prove) proofs.push(...await prove(engines, { only: values.bug, say }))
  for (const seed of values.prove ? [] : seeds) await runAndJudge(engines, seed)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { void endAll().finally(() => process.exit(1)) })
buildIfNewer()
if (values.history !== undefined) mkdirSync(values.history, { recursive: true })
try {
  if (values.again) for (const seed of seeds) judgeHistory(seed, readHistory(historyOf(seed) as string))
  else await runAll()
} finally {
  await endAll()
}

const result = values.prove ? printedProofs(proofs) : printed(totals)
console.log(result)
const command = `npm run test:soak -- ${values.prove ? '--prove' : `${first === 1 ? '' : `--seed ${first} `}--seeds ${seeds.length} --seconds ${seconds}`}`
if (values.page) writePart(values.prove ? 'bugs' : 'seeds', [`\`${command}\``, '', result].join('\n'))
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(values.prove ? proofs : totals, null, 2)}\n`)
process.exitCode = totals.failedSeeds.length > 0 || !proofs.every(isProven) ? 1 : 0
