// The process: reads the environment once and becomes the service, or with WORKERS above 1 the primary of several workers, or
// one of these. Exit codes and the sentence of a start that fails are here and nowhere else.
import cluster from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { ConfigError } from './config/environment.ts'
import { shareOf } from './config/share.ts'
import { configure, ownEnvironment, plainReason } from './launch.ts'
import { takeSeat } from './worker/seat.ts'

/** Ends the process for a reason that a person can mend; anything else keeps its stack. */
function giveUp (error: unknown): never {
  console.error(plainReason(error) ?? error)
  process.exit(1)
}

/** Loads what it becomes and nothing else: a primary needs no stores. */
async function run (): Promise<void> {
  const seat = takeSeat(process.env)
  const config = configure(seat === undefined ? ownEnvironment() : process.env) // a worker has its primary's, whatever .env says by now
  if (seat === undefined && config.workers > 1) {
    if (cluster.isWorker) throw new ConfigError(['WORKERS must be 1 in a process that another process manager has started as one of several'])
    const { lead } = await import('./lead.ts')
    await lead(config, fileURLToPath(import.meta.url))
  } else {
    const { serve } = await import('./serve.ts')
    await serve(seat === undefined ? config : shareOf(config, seat.number), seat)
  }
}

await run().catch(giveUp)
