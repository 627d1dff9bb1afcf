// Properties: what must hold for any input, tried on inputs that nobody wrote down. The seed is another in each run, and a
// failure prints it with the smallest input that fails; `FUZZ_SEED` and `FUZZ_RUNS` repeat it. In the ordinary suite a
// property has a bounded time; `npm run test:fuzz` gives it as many runs as are asked for.
import fc from 'fast-check'
import { randomInt } from 'node:crypto'
import type { Test } from 'tap'

const { FUZZ_SEED, FUZZ_RUNS } = process.env

/** Of every property of this process. */
const seed = FUZZ_SEED === undefined ? randomInt(2 ** 31) : Number(FUZZ_SEED)

/** Milliseconds that one property may take in the ordinary suite: what was tried by then counts. */
const shareMs = FUZZ_RUNS === undefined ? 3000 : Infinity

/** Milliseconds more in which the smallest input is looked for, once one has failed. */
const shrinkMs = 20_000

/** Milliseconds in which the service answers, whatever it is sent (DESIGN 8). */
export const promptMs = 5000

/**
 * Tries a property and tells the smallest input that breaks it. Runs never overlap: fast-check's own limit of time would leave
 * the last one running beside whatever comes next.
 * @param usual runs in the ordinary suite; `FUZZ_RUNS` replaces it
 * @param property throws for an input that breaks it
 */
export async function holds <T> (t: Test, usual: number, inputs: fc.Arbitrary<T>, property: (input: T) => Promise<void> | void): Promise<void> {
  let end = performance.now() + shareMs
  let tried = 0
  let failure: unknown
  const details = await fc.check(fc.asyncProperty(inputs, async (input) => {
    if (performance.now() > end) return
    tried++
    try {
      await property(input)
    } catch (error) {
      if (failure === undefined && !fc.PreconditionFailure.isFailure(error)) {
        failure = error
        end = performance.now() + shrinkMs
      }
      throw error
    }
  }), { seed, numRuns: FUZZ_RUNS === undefined ? usual : Number(FUZZ_RUNS) })
  const report = String(await fc.asyncDefaultReportMessage(details as fc.RunDetails<[T]>))
  t.notOk(details.failed, details.failed ? `repeat with FUZZ_SEED=${seed}: ${report} Cause: ${String(details.errorInstance ?? failure)}` : `${tried} inputs tried`)
}

/** @throws Error if a promise is not settled in time: a hang is a failure like any other, and shrinks like one */
export async function promptly <T> (work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => { reject(new Error(`no answer within ${promptMs} ms`)) }, promptMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** @throws Error that lists them, if there are any */
export function expectNone (faults: readonly string[]): void {
  if (faults.length > 0) throw new Error(faults.join('\n'))
}
