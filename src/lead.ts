// The primary of several workers. It serves nobody itself; it says what a start says, once, and ends its workers
// when it is asked to end.
import Fastify from 'fastify'
import { systemClock } from './clock.ts'
import type { Config } from './config/config.ts'
import { drainMs, onEndSignal } from './end-signals.ts'
import { sayStart } from './start-lines.ts'
import { createCrew } from './worker/crew.ts'

/** Milliseconds beside what a worker takes to end by itself. */
const sparedMs = 500

/**
 * @param file path of the module that each worker runs
 * @returns once all of them listen; the process ends with them
 */
export async function lead (config: Config, file: string): Promise<void> {
  const { log } = Fastify({ logger: { level: config.logLevel } })
  const crew = createCrew({ file, count: config.workers, log, clock: systemClock, drainMs: drainMs + sparedMs })
  onEndSignal((signal) => {
    log.info(`${signal}: what is in flight is answered, then the workers end`)
    crew.end()
  }, () => {
    crew.kill()
    process.exit(1)
  })
  void crew.ended.then((exitCode) => process.exit(exitCode))
  sayStart(config, await crew.ready, log)
}
