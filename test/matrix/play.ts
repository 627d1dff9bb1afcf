// Plays one cell: clients, fault, healing, recovery, and then everything that must hold in every cell (R-a to R-e): what was
// answered, what is there afterwards, the processes, their logs and what they hold open.
import { until } from '../helper/service.ts'
import { enrol } from './cast.ts'
import type { Cell, Stage } from './cell.ts'
import { wait, type Field, type Instance } from './field.ts'
import { createJudge, type Judged } from './judge.ts'
import { startLoad } from './load.ts'
import { readBack } from './read-back.ts'
import { untilRecovered } from './recovery.ts'

export interface Played {
  cell: Cell
  failures: string[]
  recoveryMs: number | undefined
  judged: Judged
  measured: string[]
  /** Lines of the logs at warn and above. */
  warnings: number
  seconds: number
}

const warmMs = 1500
/** What is felt everywhere at the latest after all is well again: T. */
const settleMs = 3000
/** Descriptors that come and go with a client or a probe. */
const descriptorSlack = 12
const baselineMs = 60_000
/** Distinct failures that are told. */
const mostTold = 8

export async function playCell (cell: Cell, field: Field, { say, isShort }: { say: (text: string) => void, isShort: boolean }): Promise<Played> {
  const begin = performance.now()
  const judge = createJudge(cell)
  const failures: string[] = []
  const measured: string[] = []
  const fail = (what: string): void => { failures.push(what) }
  const { instances } = field
  const printedBefore = new Map(instances.map((instance) => [instance.process(), instance.process().printed().length]))
  const newLines = (): LogLine[] => instances.flatMap((instance) => linesIn(instance.process().printed().slice(printedBefore.get(instance.process()) ?? 0)))

  const cast = await enrol(instances)
  const stage: Stage = { field, cast, judge, say, fail, measured (text) { measured.push(text) }, isShort }
  const load = startLoad(instances, cast, judge)
  await wait(warmMs)
  const baseline = new Map(instances.map((instance) => [instance, instance.descriptors()]))
  let recoveryMs: number | undefined

  say(`${cell.id}: strike`)
  try {
    if (cell.losesAccounts) await load.stop()
    await cell.strike(stage)
    judge.struck()
    await wait(cell.standsMs)
    await cell.meanwhile?.(stage)
  } catch (error) {
    fail(`while it stood: ${String(error)}`)
  }
  say(`${cell.id}: heal`)
  try {
    await cell.heal(stage)
    judge.healed()
    const healedAt = performance.now()
    const probed = cell.losesAccounts ? await enrolPatiently(instances) : cast
    const recovery = await untilRecovered(instances, probed, { since: healedAt, withinMs: cell.recoverWithinMs })
    recoveryMs = recovery.ms
    if (recovery.ms > cell.recoverWithinMs) fail(`recovered after ${(recovery.ms / 1000).toFixed(1)} s; last amiss: ${recovery.last}`)
    await cell.afterwards?.(stage)
  } catch (error) {
    fail(`after it: ${String(error)}`)
  }
  await wait(500)
  await load.stop()
  await wait(settleMs)
  if (!cell.losesAccounts) await readBack(field, cast, fail).catch((error: unknown) => { fail(`reading back: ${String(error)}`) })
  for (const instance of instances) await checkProcess(instance, baseline.get(instance) as number, fail)

  const lines = newLines()
  for (const { level, msg } of lines) if (level >= 60) fail(`logged: ${msg}`)
  const printed = instances.map((instance) => instance.process().printed()).join('')
  if (/unhandled|uncaught/i.test(printed)) fail('an unhandled rejection in the log')
  const secrets = [...cast.live, ...cast.refreshers].flatMap(({ accessToken, refreshToken, person }) => [accessToken, refreshToken, person.password])
  if (secrets.some((secret) => printed.includes(secret))) fail('a secret in the log')
  const warnings = lines.filter(({ level }) => level >= 40).length
  const judged = judge.result()
  if (cell.checksPutOffAtMost !== undefined && judged.checksOff > judged.checks * cell.checksPutOffAtMost) fail(`${judged.checksOff} of ${judged.checks} checks were put off`)
  if (cell.checkP99Ms !== undefined && judged.checkP99Ms > cell.checkP99Ms) fail(`99 of 100 checks took up to ${Math.round(judged.checkP99Ms)} ms`)
  failures.push(...new Set(judged.wrong.slice(0, mostTold)))
  if (judged.wrong.length > mostTold) failures.push(`and ${judged.wrong.length - mostTold} more`)
  return { cell, failures, recoveryMs, judged, measured, warnings, seconds: (performance.now() - begin) / 1000 }
}

interface LogLine { level: number, msg: string }

const linesIn = (printed: string): LogLine[] => printed.split('\n').filter((line) => line.startsWith('{"level"')).flatMap((line) => {
  try {
    return [JSON.parse(line) as LogLine]
  } catch {
    return [] // the rest of it was printed before
  }
})

/** Registers new people at a store that has just come back. */
async function enrolPatiently (instances: readonly Instance[]): ReturnType<typeof enrol> {
  for (let tries = 1; ; tries++) {
    try {
      return await enrol(instances)
    } catch (error) {
      if (tries === 10) throw error
    }
  }
}

async function checkProcess (instance: Instance, baseline: number, fail: (what: string) => void): Promise<void> {
  const { child } = instance.process()
  if (child.exitCode !== null || child.signalCode !== null) return fail(`instance ${instance.name} has ended: ${child.signalCode ?? child.exitCode}`)
  await until(() => instance.descriptors() <= baseline + descriptorSlack, '', baselineMs)
    .catch(() => { fail(`instance ${instance.name} holds ${instance.descriptors()} descriptors open, ${baseline} before`) })
}

/** Puts right what a cell has left: nothing may be broken when the next one begins. */
export async function restore ({ redis, mongo, instances }: Field): Promise<void> {
  for (const { redis: toRedis, mongo: toMongo } of instances) for (const proxy of [toRedis, toMongo]) proxy.set('pass')
  await Promise.all([redis.start(), mongo.start()])
  for (const instance of instances) {
    const { child } = instance.process()
    if (child.exitCode !== null || child.signalCode !== null || !instance.isUp()) {
      if (child.exitCode === null && child.signalCode === null) await instance.kill()
      await instance.start()
    }
    await until(async () => (await instance.call('/readyz').catch(() => undefined))?.json?.status === 'ready', `instance ${instance.name} is ready`, 30_000)
  }
}
