// One process that serves: it listens, says where, and ends cleanly when it is asked to: by a signal, or, as one of several
// workers, by their primary.
import closeWithGrace from 'close-with-grace'
import type { Config } from './config/config.ts'
import { drainMs, endSignals, onEndSignal } from './end-signals.ts'
import { createStandalone } from './standalone.ts'
import { sayStart } from './start-lines.ts'
import type { Seat } from './worker/seat.ts'

/** @param seat of a worker; without it this process is the whole service */
export async function serve (config: Config, seat?: Seat): Promise<void> {
  const app = createStandalone(config, { ...(seat && { worker: seat }) })
  const onSecondError = (error: unknown) => { app.log.fatal({ err: error }, 'the process ends: this should not have happened') }
  const grace = closeWithGrace({ delay: drainMs, logger: false, skip: [...endSignals], onSecondError }, async ({ err }) => {
    if (err) app.log.fatal({ err }, 'the process ends: this should not have happened')
    await app.close().catch((error: unknown) => {
      app.log.error({ err: error }, 'the service could not be closed cleanly')
      throw error
    })
  })
  if (seat !== undefined) {
    for (const signal of endSignals) process.on(signal, () => { /* the primary has it too when it goes to a whole group, and ends its workers in order */ })
    seat.serve(app.server, grace.close)
  } else {
    onEndSignal((signal) => {
      app.log.info(`${signal}: what is in flight is answered, then the process ends`)
      grace.close()
    }, () => process.exit(1))
  }
  await app.listen({ host: config.host, port: config.port, listenTextResolver: (address) => `listening at ${address}` })
  if (seat === undefined) sayStart(config, app.listeningOrigin, app.log)
}
