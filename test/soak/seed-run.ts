// The run of one seed: everybody at work while one thing after the other breaks.
import { guess } from './guesser.ts'
import type { History } from './history.ts'
import { createRandom } from './random.ts'
import { breakThings } from './schedule.ts'
import { setStage, type StageOptions } from './stage.ts'
import { clientNames, prepareHot, type Client } from './workload.ts'

export interface SeedOptions extends StageOptions { seconds: number, say: (text: string) => void }

/**
 * Calls for each second of work: a run with fewer says little (seen on a machine that was busy with other work: 13 reads, and a
 * bug that every hundredth read shows was not found). It goes on until there are as many, up to four times as long.
 */
const leastCallsASecond = 30

/** @param options.seconds of work, beside the start, the wait until all is quiet, and the last look */
export async function runSeed ({ seconds, say, ...options }: SeedOptions): Promise<History> {
  const stage = await setStage(options)
  const { seed, deployment, recorder, world, clientOf, now } = stage
  const untilEnough = async (latest: number): Promise<void> => {
    while (recorder.history.calls.length < leastCallsASecond * seconds && now() < latest) await new Promise((resolve) => { setTimeout(resolve, 100) })
  }
  try {
    const clients = clientNames.map(clientOf)
    await prepareHot(clients[0] as Client, world)
    for (const client of clients) await client.prepare()
    const victim = await clientOf('victim').accounts.register('u9v')
    if (victim === undefined) throw new Error('an account could not be made')
    const begin = now()
    await Promise.all([
      breakThings({ seed, deployment, recorder, now, endsAt: begin + seconds * 1000, say }).then(() => untilEnough(begin + 4 * seconds * 1000)).finally(stage.finish),
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
