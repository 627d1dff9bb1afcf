// The process: reads the environment once, listens, says where, and ends cleanly. What the process owns (signals, exit
// codes, start-up lines) is here and nowhere else.
import closeWithGrace from 'close-with-grace'
import { configure, ownEnvironment, plainReason } from './launch.ts'
import { createStandalone } from './standalone.ts'
import { startLines } from './start-lines.ts'

/** Milliseconds that requests in flight are given when the process is asked to end. */
const drainMs = 9000

/** npm passes a signal on that its group has had already: within this time it is the same signal. */
const sameSignalMs = 1000

/** Ends the process for a reason that a person can mend; anything else keeps its stack. */
function giveUp (error: unknown): never {
  console.error(plainReason(error) ?? error)
  process.exit(1)
}

async function run (): Promise<void> {
  const config = configure(ownEnvironment())
  const app = createStandalone(config)
  const onSecondError = (error: unknown) => { app.log.fatal({ err: error }, 'the process ends: this should not have happened') }
  const grace = closeWithGrace({ delay: drainMs, logger: false, skip: ['SIGTERM', 'SIGINT'], onSecondError }, async ({ err }) => {
    if (err) app.log.fatal({ err }, 'the process ends: this should not have happened')
    await app.close().catch((error: unknown) => {
      app.log.error({ err: error }, 'the service could not be closed cleanly')
      throw error
    })
  })
  let asked = 0
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      const now = performance.now()
      if (asked === 0) {
        asked = now
        app.log.info(`${signal}: what is in flight is answered, then the process ends`)
        grace.close()
      } else if (now - asked > sameSignalMs) process.exit(1)
    })
  }
  await app.listen({ host: config.host, port: config.port, listenTextResolver: (address) => `listening at ${address}` })
  const lines = startLines(config, app.listeningOrigin)
  if (config.production) for (const line of lines) app.log.info(line)
  else process.stdout.write(`\n${lines.join('\n')}\n\n`)
}

await run().catch(giveUp)
