// The server under measurement: the real service from dist/ with more doors: unguarded twins of GET /protected and of the
// page post, and a page post with one acknowledged write a request. They stand in the same scope, so they have the same
// hooks, headers and schemas. Talks over IPC: announces its address, tokens and cookies, answers `cpu` with its CPU time.
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
  const page = (await import('../dist/routes/visitor/notes.schema.js')).notePageSchema
  const pageSchema = { body: page.body, response: page.response, hide: true }
  const noted = (pageId, pageCount) => ({ pageId, at: new Date().toISOString(), pageCount })
  inner.post('/bench/nothing', { schema: pageSchema }, async (request, reply) => {
    reply.code(201)
    return noted(request.body.pageId, 1)
  })
  const visits = inner.mongo.db.collection('benchvisits', { writeConcern: { w: 'majority', journal: true, wtimeoutMS: 2000 } })
  inner.post('/bench/one-write', { schema: pageSchema, onRequest: inner.identify }, async (request, reply) => {
    const { pageId } = request.body
    const id = randomBytes(9).toString('base64url')
    const at = new Date()
    const { matchedCount } = await visits.updateOne({ _id: request.member.sid, endTime: null, 'pages.id': { $ne: id } }, { $push: { pages: { id, pageId, at } }, $max: { lastSeenAt: at } })
    if (matchedCount !== 1) throw new Error('not noted')
    reply.code(201)
    return noted(pageId, 1)
  })
  inner.get('/bench/unguarded', { schema: { response, hide: true } }, async () => ({ message: `Hello, ${user.username}`, user }))
})
await app.listen({ host: '127.0.0.1', port: 0 })

// sessions are opened behind the login door: hashing a thousand passwords is not what is measured
const tokens = []
const sids = []
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
  for (let s = 0; s < sessionsPerUser; s++) {
    const { accessToken, session } = await scope.tokens.open(user, { address: '127.0.0.1', userAgent: 'bench', requestId: 'bench' })
    tokens.push(accessToken)
    sids.push(session._id)
  }
}

const cookies = []
if (process.env.BENCH_VISITS) {
  const { name, signer } = scope.visitorCookies.visit
  for (let n = 0; n < tokens.length; n++) cookies.push(`${name}=${signer.sign((await scope.guestVisits.note(undefined, { kind: 'page', pageId: '/' })).begun)}`)
  await scope.mongo.db.collection('benchvisits').insertMany(sids.map((_id) => ({ _id, endTime: null, lastSeenAt: new Date(), pages: [] })))
}

process.on('disconnect', () => process.exit(1)) // whoever measured is gone
process.on('message', (message) => {
  if (message === 'cpu') process.send({ cpu: process.cpuUsage(), counts: { ...scope.sessionCheck.counts } })
  if (message === 'stop') app.close().then(() => process.exit(0))
})
process.send({ origin: app.listeningOrigin, tokens, cookies })
