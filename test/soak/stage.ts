// What a run begins with and ends with: two instances, a history, clients of a seed; and the last look at everything.
import { startDeployment, type Deployment, type Engines } from './deployment.ts'
import { createRecorder, type Recorder } from './history.ts'
import { probeAll } from './probing.ts'
import { environmentOf, type Rules } from './rules.ts'
import { createClient, type Client } from './workload.ts'
import { createWorld, type World } from './world.ts'

export interface StageOptions {
  engines: Engines
  seed: number
  rules: Rules
  historyFile?: string | undefined
  /** Modules that the instances load first. */
  imports?: readonly string[]
}

export interface Stage {
  seed: number
  rules: Rules
  deployment: Deployment
  recorder: Recorder
  world: World
  clientOf: (name: string) => Client
  /** Milliseconds since the run began. */
  now: () => number
  /** Clients come to an end. */
  finish: () => void
  isOver: () => boolean
  /** Waits until everything that was under way is over, then looks at all of it. */
  conclude: () => Promise<void>
  close: () => Promise<void>
}

export async function setStage ({ engines, seed, rules, historyFile, imports }: StageOptions): Promise<Stage> {
  const deployment = await startDeployment(engines, environmentOf(rules), imports)
  const recorder = createRecorder(historyFile)
  const world = createWorld()
  const began = { mono: performance.now(), wall: Date.now() }
  const origins = { a: deployment.instances.a.origin, b: deployment.instances.b.origin }
  let over = false
  const clientOf = (name: string): Client => createClient(name, { seed, origins, recorder, world, rules, began, isOver: () => over })
  const sample = (phase: 'begin' | 'end'): void => { for (const instance of Object.values(deployment.instances)) recorder.add(instance.sample(phase)) }
  sample('begin')
  return {
    seed,
    rules,
    deployment,
    recorder,
    world,
    clientOf,
    now: () => performance.now() - began.mono,
    finish () { over = true },
    isOver: () => over,
    async conclude () {
      await deployment.untilWell()
      await new Promise((resolve) => { setTimeout(resolve, Math.max(rules.faultMs, rules.graceMs) + 2000) })
      sample('end')
      recorder.add(await probeAll(deployment, clientOf('probe'), { world, rules, seed }))
    },
    async close () {
      await recorder.close()
      await deployment.close()
    }
  }
}
