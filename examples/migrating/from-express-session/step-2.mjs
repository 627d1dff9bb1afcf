// Step 2: logins are Latchkey's, and so is the only check. Who is signed in by an old session gets the ticket that was made for it
// (tickets.mjs) as Latchkey's cookie, at the next request; until the tickets are made the old session itself admits.
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import Fastify from 'fastify'
import latchkey from 'latchkey'
import { MongoClient } from 'mongodb'
import { createClient } from 'redis'

const { MONGODB_URI, ACCESS_TOKEN_SECRET, REFRESH_TOKEN_SECRET, SESSION_SECRET, TICKET_SECRET } = process.env
const { DATABASE_URL, REDIS_URL, COOKIE_SECRET, NODE_ENV = 'development', PORT = '3000' } = process.env
const orders = (await new MongoClient(DATABASE_URL).connect()).db().collection('orders')
const redis = await createClient({ url: REDIS_URL }).connect()
const secure = NODE_ENV === 'production'
const latchkeyCookie = secure ? '__Host-accessToken' : 'accessToken'

const old = express()
old.use(express.json())

function authenticate (req, res, next) {
  if (req.user !== undefined) return next()
  res.status(401).set('www-authenticate', 'Bearer').json({ message: 'Unauthorized', code: req.refusal.code })
}

old.get('/orders', authenticate, async ({ user }, res) => {
  res.json({ for: user.username, orders: (await orders.find({ userId: user.id }).toArray()).map(({ item }) => item) })
})
old.post('/orders', authenticate, async ({ user, body }, res) => {
  await orders.insertOne({ userId: user.id, item: String(body.item) })
  res.status(201).json({ item: body.item })
})

// new: old sessions are read, and neither opened nor prolonged
const oldSessions = session({
  store: new RedisStore({ client: redis, disableTouch: true }),
  secret: COOKIE_SECRET,
  resave: false,
  saveUninitialized: false
})

/** A request that only an old session knows brings its ticket, if there is one, as if it had been in Latchkey's cookie. */
async function tradeIn ({ raw, headers }, reply) {
  if (!headers.cookie?.includes('connect.sid=') || headers.authorization !== undefined || headers.cookie.includes(`${latchkeyCookie}=`)) return
  await new Promise((resolve, reject) => { oldSessions(raw, reply.raw, (error) => error ? reject(error) : resolve()) })
  if (raw.session?.user === undefined) return
  const ticket = await redis.get(`ticket:${raw.sessionID}`)
  if (ticket === null) {
    if (raw.url.endsWith('/logout')) {
      await new Promise((resolve) => { raw.session.destroy(resolve) })
      return reply.send({ message: 'Signed out', revoked: 1 }) // as Latchkey answers
    }
    raw.user = raw.session.user
    return
  }
  headers.cookie += `; ${latchkeyCookie}=${ticket}`
  const rest = `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
  reply.raw.appendHeader('set-cookie', `${latchkeyCookie}=${ticket}; Max-Age=${await redis.ttl(`ticket:${raw.sessionID}`)}; ${rest}`)
  reply.raw.appendHeader('set-cookie', 'connect.sid=; Max-Age=0; Path=/; HttpOnly')
}

const app = Fastify({ rewriteUrl: ({ url }) => url === '/logout' ? '/auth/api/auth/logout' : url }) // new: pages that are open now can still sign out
app.addHook('onRequest', tradeIn) // new: before Latchkey looks, at its own addresses too
await app.register(latchkey, {
  prefix: '/auth',
  nodeEnv: NODE_ENV,
  mongodbUri: MONGODB_URI,
  redisUrl: REDIS_URL,
  accessTokenSecret: ACCESS_TOKEN_SECRET,
  refreshTokenSecret: REFRESH_TOKEN_SECRET,
  sessionSecret: SESSION_SECRET,
  legacyTokens: true, // new: tickets are tokens of this kind
  legacyTokenSecret: TICKET_SECRET // new
})
await app.register(async (scope) => {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, _payload, done) => { done(null) }) // Express reads the body
  scope.addHook('onRequest', (request, reply, done) => {
    if (request.raw.user !== undefined) return done() // an old session without a ticket yet
    app.authenticate(request, reply, (error) => {
      if (error === undefined) request.raw.user = request.user
      else request.raw.refusal = error
      done(error === undefined || error.statusCode === 401 ? undefined : error) // which of its addresses are guarded the old app knows
    })
  })
  scope.all('/*', (request, reply) => {
    reply.hijack()
    old(request.raw, reply.raw)
  })
})
await app.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`listening on ${app.listeningOrigin}`)
