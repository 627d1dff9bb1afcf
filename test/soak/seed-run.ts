// The run of one seed, from the start of two instances to its history.
import { startDeployment, type Engines } from './deployment.ts'
import { createRecorder, type History } from './history.ts'
import { probeAll } from './probing.ts'
import { createRandom } from './random.ts'
import { environmentOf, rules } from './rules.ts'
import { breakThings } from './schedule.ts'
import { clientNames, createClient, guess, prepareHot } from './workload.ts'
import { createWorld } from './world.ts'

export interface SeedOptions { engines: Engines, seed: number, seconds: number, historyFile?: string | undefined, imports?: readonly string[], say: (text: string) => void }

/** @param options.seconds of work, beside the start, the wait until all is quiet, and the last look */
export async function runSeed ({ engines, seed, seconds, historyFile, imports, say }: SeedOptions): Promise<History> {
  const deployment = await startDeployment(engines, environmentOf(rules), imports)
  const recorder = createRecorder(historyFile)
  try {
    const world = createWorld()
    const began = { mono: performance.now(), wall: Date.now() }
    let over = false
    const origins = { a: deployment.instances.a.origin, b: deployment.instances.b.origin }
    const clientOf = (name: string) => createClient(name, { seed, origins, recorder, world, rules, began, isOver: () => over })
    const clients = clientNames.map(clientOf)
    const [first, prober] = [clients[0] as typeof clients[number], clientOf('probe')]
    const now = first.caller.now

    await prepareHot(first, world)
    await Promise.all(clients.map((client) => client.prepare()))
    const victim = await clientOf('victim').accounts.register('u9v')
    if (victim === undefined) throw new Error('an account could not be made')
    for (const instance of Object.values(deployment.instances)) recorder.add(instance.sample('begin'))
    const endsAt = now() + seconds * 1000
    const work = [...clients.map((client) => client.run()), guess(clientOf('guesser'), victim, createRandom(seed, 'guesser'), () => over)]
    await breakThings({ seed, deployment, recorder, now, endsAt, say })
    over = true
    await Promise.all(work)
    await deployment.untilWell()
    await new Promise((resolve) => { setTimeout(resolve, Math.max(rules.faultMs, rules.graceMs) + 2000) })
    for (const instance of Object.values(deployment.instances)) recorder.add(instance.sample('end'))
    recorder.add(await probeAll(deployment, prober, { world, rules, seed }))
    return recorder.history
  } finally {
    await recorder.close()
    await deployment.close()
  }
}
