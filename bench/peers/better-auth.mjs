// better-auth behind Fastify, with MongoDB for accounts and its own Redis storage for sessions, asked as its Fastify guide
// shows: `auth.api.getSession` with the request's headers. BENCH_VARIANT=cookie-cache switches on its signed copy of the
// session in a second cookie, in its leanest form, for as long as the run lasts (its guide proposes five minutes).
import { redisStorage } from '@better-auth/redis-storage'
import { betterAuth } from 'better-auth'
import { mongodbAdapter } from 'better-auth/adapters/mongodb'
import { fromNodeHeaders } from 'better-auth/node'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import { answerTo, cookiesOf, everybody, isVariant, keyPrefix, lifetime, mongodbUri, personOf, port, redisUrl, schema, secret, serve, somebody } from './serve.mjs'

const mongo = await new MongoClient(mongodbUri).connect()
const redis = new Redis(redisUrl)
const auth = betterAuth({
  baseURL: 'http://127.0.0.1',
  secret,
  database: mongodbAdapter(mongo.db()),
  secondaryStorage: redisStorage({ client: redis, keyPrefix }),
  // hashing a thousand passwords is not what is measured
  emailAndPassword: { enabled: true, password: { hash: async (password) => password, verify: async ({ hash, password }) => hash === password } },
  session: { expiresIn: lifetime, updateAge: lifetime, cookieCache: { enabled: isVariant('cookie-cache'), strategy: 'compact', maxAge: lifetime } },
  telemetry: { enabled: false },
  logger: { level: 'error' }
})

const app = Fastify({ logger: { level: 'error' } })
app.get('/unguarded', { schema }, async () => answerTo(somebody()))
app.get('/guarded', { schema }, async (request, reply) => {
  const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) })
  if (session === null) return reply.code(401).send({ message: 'Unauthorized' })
  const { id, name, email } = session.user
  return answerTo(personOf({ id, username: name, email, fullName: null, role: 'user' }))
})
await app.listen({ host: '127.0.0.1', port })

const requests = []
for (const { username, email } of everybody()) {
  const { headers } = await auth.api.signUpEmail({ body: { name: username, email, password: username }, returnHeaders: true })
  // the cookie that names the session goes last, where ../peers.mjs spoils it to see it refused
  requests.push(cookiesOf(headers.getSetCookie().reverse()))
}
const close = async () => {
  await app.close()
  await mongo.db().dropDatabase()
  await mongo.close()
  redis.disconnect()
}
serve({ origin: app.listeningOrigin, requests, close })
