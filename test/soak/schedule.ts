// Breaks one thing after the other, by chance, heals it and waits until everybody is well again. What it did becomes a part of
// the history: the checker allows more time where something was broken.
import type { Deployment } from './deployment.ts'
import { faultKinds, type FaultKind } from './faults.ts'
import type { Inst, Recorder } from './history.ts'
import { createRandom } from './random.ts'

/** Milliseconds: before the first fault, between two, and how long one lasts. */
const times = { calm: 3000, between: [1200, 2500], lasting: [800, 3500] } as const

export interface ScheduleOptions { seed: number, deployment: Deployment, recorder: Recorder, now: () => number, endsAt: number, say: (text: string) => void }

export async function breakThings ({ seed, deployment, recorder, now, endsAt, say }: ScheduleOptions): Promise<void> {
  const random = createRandom(seed, 'faults')
  const deck = random.shuffled(faultKinds)
  const until = (time: number) => new Promise((resolve) => { setTimeout(resolve, time - now()) })
  await until(times.calm)
  for (let turn = 0; now() < endsAt; turn++) {
    const kind = deck[turn % deck.length] as FaultKind
    const inst: Inst = random.chance(0.5) ? 'a' : 'b'
    const lastingMs = random.int(...times.lasting)
    await breakOnce(kind, { deployment, recorder, now, inst, lastingMs })
    say(`${kind.name} (${inst})`)
    await until(now() + random.int(...times.between))
  }
}

/** One fault from its beginning until everybody is well again. @param during what happens meanwhile */
export async function breakOnce ({ name, what, losesRedis, inject }: FaultKind, { deployment, recorder, now, inst, lastingMs, during }: { deployment: Deployment, recorder: Recorder, now: () => number, inst: Inst, lastingMs: number, during?: () => Promise<unknown> }): Promise<void> {
  const t0 = now()
  const heal = await inject(deployment, inst)
  await Promise.all([during?.(), new Promise((resolve) => { setTimeout(resolve, lastingMs) })])
  await heal()
  const healed = now()
  await deployment.untilWell()
  recorder.add({ kind: 'fault', name, what, ...((what === 'instance' || what === 'network') && { inst }), t0, healed, t1: now(), losesRedis: losesRedis ?? false })
}
