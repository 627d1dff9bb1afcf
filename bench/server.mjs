// The server under measurement: the real service from dist/ with one more door, the unguarded twin of GET /protected. The
// twin stands in the same scope, so it has the same hooks, headers and reply schema; only the check is missing.
// Talks to bench/run.mjs over IPC: announces its address and tokens, answers `cpu` with its CPU time.
import Fastify from 'fastify'
import { randomBytes } from 'node:crypto'
import { buildApp } from '../dist/src/app.js'
import { systemClock } from '../dist/src/clock.js'
import { createConfig } from '../dist/src/config/config.js'
import { readEnvironment } from '../dist/src/config/environment.js'

const users = 50
const sessionsPerUser = Number(process.env.BENCH_TOKENS) / users

const config = createConfig(readEnvironment(process.env), { randomBytes })
const app = Fastify({ logger: { level: 'error' } })
app.decorateRequest('user', null)
let scope
await app.register(async (inner) => {
  scope = inner
  await buildApp(inner, { config, clock: systemClock, randomBytes, base: '', ownsNotFound: true })
  const user = Object.freeze({ id: 'bench', _id: 'bench', username: 'bench', email: 'bench@example.com', fullName: null, role: 'user', avatarUrl: null })
  const { response } = (await import('../dist/routes/private/account.schema.js')).protectedSchema
  inner.get('/bench/unguarded', { schema: { response, hide: true } }, async () => ({ message: `Hello, ${user.username}`, user }))
})
await app.listen({ host: '127.0.0.1', port: 0 })

// sessions are opened behind the login door: hashing a thousand passwords is not what is measured
const tokens = []
for (let n = 0; n < users; n++) {
  const name = `bench-${randomBytes(6).toString('hex')}`
  const now = new Date()
  const user = {
    _id: randomBytes(16).toString('base64url'),
    email: `${name}@example.com`,
    emailKey: `${name}@example.com`,
    username: name,
    usernameKey: name,
    fullName: null,
    role: 'user',
    passwordHash: '',
    tokenVersion: 0,
    preferences: {},
    avatarId: null,
    version: 0,
    createdAt: now,
    updatedAt: now
  }
  await scope.users.insert(user)
  for (let s = 0; s < sessionsPerUser; s++) tokens.push((await scope.tokens.open(user, { address: '127.0.0.1', userAgent: 'bench' })).accessToken)
}

process.on('disconnect', () => process.exit(1)) // whoever measured is gone
process.on('message', (message) => {
  if (message === 'cpu') process.send({ cpu: process.cpuUsage(), counts: { ...scope.sessionCheck.counts } })
  if (message === 'stop') app.close().then(() => process.exit(0))
})
process.send({ origin: app.listeningOrigin, tokens })
