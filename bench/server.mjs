// The server under measurement: the real service from dist/ with more doors: unguarded twins of GET /protected and of the
// page post, and a page post with one acknowledged write a request. They stand in the same scope, so they have the same
// hooks, headers and schemas. Talks over IPC: announces its address, tokens and cookies, answers `cpu` with its CPU time.
import bcrypt from 'bcrypt'
import Fastify from 'fastify'
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import { Session } from 'node:inspector/promises'
import { buildApp } from '../dist/src/app.js'
import { systemClock } from '../dist/src/clock.js'
import { createConfig } from '../dist/src/config/config.js'
import { readEnvironment } from '../dist/src/config/environment.js'
import { everyPart } from '../dist/src/config/parts.js'
import { acknowledgedCollection } from '../dist/src/user/store-options.js'
import { publicUser } from '../dist/src/user/user-record.js'
import { newUser, openSessions } from './open-sessions.mjs'

const users = Math.max(50, Number(process.env.BENCH_TOKENS) / 50)
const sessionsPerUser = Number(process.env.BENCH_TOKENS) / users

const config = createConfig(readEnvironment(process.env), { randomBytes })
/** Of an own token, unverified and looked up: what a server that only asks the store would have for nothing. */
const known = new Map()
const claimsOf = (request) => known.get(request.headers.authorization)

/** What the service asks of its stores, if that is counted: through clients that tell. */
const operations = []
const counting = process.env.BENCH_OPERATIONS ? await openCountingClients() : {}

async function openCountingClients () {
  const mongoClient = await new MongoClient(config.store.uri, { monitorCommands: true, ignoreUndefined: true }).connect()
  mongoClient.on('commandStarted', ({ commandName, command }) => { if (typeof command[commandName] === 'string') operations.push(`mongo ${commandName} ${command[commandName]}`) })
  const redisClient = new Redis(process.env.REDIS_URL)
  const send = redisClient.sendCommand.bind(redisClient)
  redisClient.sendCommand = (command, stream) => {
    operations.push(`redis ${command.name}`)
    return send(command, stream)
  }
  return { mongoClient, redisClient }
}

const app = Fastify({ logger: { level: 'error' } })
app.decorateRequest('user', null)
let scope
await app.register(async (inner) => {
  scope = inner
  await buildApp(inner, { config, parts: everyPart, clock: systemClock, randomBytes, base: '', ownsNotFound: true, ...counting })
  // as many people, and as long names, as the guarded route answers with: one hot object would be cheaper to write out
  const people = Array.from({ length: Number(process.env.BENCH_TOKENS) }, () => publicUser(newUser('')))
  let turn = 0
  const next = () => people[turn++ % people.length]
  const answer = (user) => ({ message: `Hello, ${user.username}`, user })
  const { response } = (await import('../dist/routes/private/account.schema.js')).protectedSchema
  const page = (await import('../dist/routes/visitor/notes.schema.js')).notePageSchema
  const pageSchema = { body: page.body, response: page.response, hide: true }
  const noted = (pageId, pageCount) => ({ pageId, at: new Date().toISOString(), pageCount })
  inner.post('/bench/nothing', { schema: pageSchema }, async (request, reply) => {
    reply.code(201)
    return noted(request.body.pageId, 1)
  })
  const visits = acknowledgedCollection(inner.mongo.db, 'benchvisits')
  inner.post('/bench/one-write', { schema: pageSchema, onRequest: inner.identify }, async (request, reply) => {
    const { pageId } = request.body
    const id = randomBytes(9).toString('base64url')
    const at = new Date()
    const { matchedCount } = await visits.updateOne({ _id: request.latchkeyMember.sid, endTime: null, 'pages.id': { $ne: id } }, { $push: { pages: { id, pageId, at } }, $max: { lastSeenAt: at } })
    if (matchedCount !== 1) throw new Error('not noted')
    reply.code(201)
    return noted(pageId, 1)
  })
  // what the stores cost by themselves: the reads of a check, with nothing around them
  const bare = (name) => inner.mongo.db.collection(name)
  inner.get('/bench/two-finds', { schema: { response, hide: true } }, async (request) => {
    const at = claimsOf(request)
    const [session, found] = await Promise.all([bare('usersession').findOne({ _id: at.sid }), bare('users').findOne({ _id: at.sub })])
    if (session === null || found === null) throw new Error('not there')
    return answer(next())
  })
  inner.get('/bench/one-get', { schema: { response, hide: true } }, async (request) => {
    if (await inner.redisPort.client.get(`${config.redisKeyPrefix}session:${claimsOf(request).sid}`) === null) throw new Error('not there')
    return answer(next())
  })
  // what a refresh is in MongoDB, with nothing around it: one conditional write to one document
  const writes = acknowledgedCollection(inner.mongo.db, 'usersession')
  inner.post('/bench/one-find-and-modify', async (request) => {
    if (await writes.findOneAndUpdate({ _id: claimsOf(request).sid }, { $set: { lastSeenAt: new Date() } }, { projection: { _id: 1 } }) === null) throw new Error('not there')
    return {}
  })
  inner.get('/bench/unguarded', { schema: { response, hide: true } }, async () => answer(next()))
})
await app.listen({ host: '127.0.0.1', port: 0 })

const opened = await openSessions(scope, { users, sessionsPerUser })
const tokens = opened.map(({ token }) => token)
for (const { token, sid, userId } of opened) known.set(`Bearer ${token}`, { sid, sub: userId })

// people who sign in at the door; hashing their passwords one by one is not what is measured either
const emails = []
const password = 'the same for everybody, twice'
if (process.env.BENCH_PEOPLE) {
  const passwordHash = await bcrypt.hash(password, Number(process.env.BCRYPT_COST))
  for (let n = 0; n < Number(process.env.BENCH_PEOPLE); n++) {
    const user = newUser(passwordHash)
    await scope.users.insert(user)
    emails.push(user.email)
  }
}

const cookies = []
if (process.env.BENCH_VISITS) {
  const { name, signer } = scope.visitorCookies.visit
  for (let n = 0; n < tokens.length; n++) cookies.push(`${name}=${signer.sign((await scope.guestVisits.note(undefined, { kind: 'page', pageId: '/' }, '127.0.0.1')).begun)}`)
  await scope.mongo.db.collection('benchvisits').insertMany(opened.map(({ sid }) => ({ _id: sid, endTime: null, lastSeenAt: new Date(), pages: [] })))
}

/** Microseconds between two samples of a profile. */
const samplingInterval = 100
const inspector = new Session()

async function startProfile () {
  inspector.connect()
  await inspector.post('Profiler.enable')
  await inspector.post('Profiler.setSamplingInterval', { interval: samplingInterval })
  await inspector.post('Profiler.start')
}

async function stopProfile () {
  const { profile } = await inspector.post('Profiler.stop')
  inspector.disconnect()
  return profile
}

process.on('disconnect', () => process.exit(1)) // whoever measured is gone
process.on('message', (message) => {
  if (message === 'memory') {
    global.gc()
    process.send({ bytes: process.memoryUsage().heapUsed })
  }
  if (message === 'operations') process.send({ operations: operations.splice(0) })
  if (message === 'cpu') process.send({ cpu: process.cpuUsage(), counts: { ...scope.sessionCheck.counts } })
  if (message === 'profile') startProfile().then(() => process.send({}))
  if (message === 'profiled') stopProfile().then((profile) => process.send({ profile }))
  if (message === 'stop') {
    app.close().then(async () => {
      counting.redisClient?.disconnect()
      await counting.mongoClient?.close()
      process.exit(0)
    })
  }
})
process.send({ origin: app.listeningOrigin, tokens, cookies, emails, password })
