// The run of one seed: everybody at work while one thing after the other breaks.
import { guess } from './guesser.ts'
import type { History } from './history.ts'
import { createRandom } from './random.ts'
import { breakThings } from './schedule.ts'
import { setStage, type StageOptions } from './stage.ts'
import { clientNames, prepareHot, type Client } from './workload.ts'

export interface SeedOptions extends StageOptions { seconds: number, say: (text: string) => void }

/** @param options.seconds of work, beside the start, the wait until all is quiet, and the last look */
export async function runSeed ({ seconds, say, ...options }: SeedOptions): Promise<History> {
  const stage = await setStage(options)
  const { seed, deployment, recorder, world, clientOf, now } = stage
  try {
    const clients = clientNames.map(clientOf)
    await prepareHot(clients[0] as Client, world)
    for (const client of clients) await client.prepare()
    const victim = await clientOf('victim').accounts.register('u9v')
    if (victim === undefined) throw new Error('an account could not be made')
    await Promise.all([
      breakThings({ seed, deployment, recorder, now, endsAt: now() + seconds * 1000, say }).finally(stage.finish),
      ...clients.map((client) => client.run()),
      guess(clientOf('guesser'), victim, createRandom(seed, 'guesser'), stage.isOver)
    ])
    await stage.conclude()
    return recorder.history
  } finally {
    stage.finish()
    await stage.close()
  }
}
