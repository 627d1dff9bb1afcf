// Ours, in the place of the others: a bare Fastify app that mounts the package and guards a route of its own with
// `app.authenticate`. BENCH_VARIANT=redis switches the memory tier off. The sessions are opened by a second instance beside
// it, which ends before anything is measured.
import Fastify from 'fastify'
import { randomBytes } from 'node:crypto'
import { buildApp } from '../../dist/src/app.js'
import { systemClock } from '../../dist/src/clock.js'
import { createConfig } from '../../dist/src/config/config.js'
import { readEnvironment } from '../../dist/src/config/environment.js'
import { everyPart } from '../../dist/src/config/parts.js'
import latchkey from '../../dist/src/index.js'
import { openSessions } from '../open-sessions.mjs'
import { answerTo, bearer, isVariant, port, schema, serve, sessionCount, somebody } from './serve.mjs'

const config = createConfig(readEnvironment({
  ...process.env,
  ...(isVariant('redis') && { MEMORY_TIER_ENTRIES: '0' })
}), { randomBytes })

async function open () {
  const app = Fastify({ logger: { level: 'error' } })
  app.decorateRequest('user', null)
  let scope
  await app.register(async (inner) => {
    scope = inner
    await buildApp(inner, { config, parts: everyPart, clock: systemClock, randomBytes, base: '', ownsNotFound: true })
  })
  await app.ready()
  const tokens = (await openSessions(scope, { users: 50, sessionsPerUser: sessionCount / 50 })).map(({ token }) => token)
  await app.close()
  return tokens
}

const tokens = await open()
const app = Fastify({ logger: { level: 'error' } })
await app.register(latchkey, { config, prefix: '/auth' })
app.get('/unguarded', { schema }, async () => answerTo(somebody()))
app.get('/guarded', { schema, onRequest: app.authenticate }, async (request) => answerTo(request.user))
await app.listen({ host: '127.0.0.1', port })

serve({ origin: app.listeningOrigin, requests: tokens.map(bearer), close: () => app.close() })
