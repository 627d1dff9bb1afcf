// Step 2: the old addresses are Latchkey's, and so is the only check. It admits old tokens until their end. Of the old app there is
// left what it is for.
import express from 'express'
import Fastify from 'fastify'
import latchkey from 'latchkey'
import { MongoClient } from 'mongodb'

const { MONGODB_URI, REDIS_URL, ACCESS_TOKEN_SECRET, REFRESH_TOKEN_SECRET, SESSION_SECRET, OLD_JWT_SECRET, NODE_ENV = 'development' } = process.env
const { DATABASE_URL, PORT = '3000' } = process.env
const orders = (await new MongoClient(DATABASE_URL).connect()).db().collection('orders')

const old = express()
old.use(express.json())

function authenticate (req, res, next) {
  if (req.user !== undefined) return next()
  res.status(401).set('www-authenticate', 'Bearer').json({ message: 'Unauthorized', code: req.refusal.code })
}

old.get('/api/orders', authenticate, async (req, res) => {
  res.json({ for: req.user.username, orders: (await orders.find({ userId: req.user._id }).toArray()).map(({ item }) => item) })
})
old.post('/api/orders', authenticate, async (req, res) => {
  await orders.insertOne({ userId: req.user._id, item: String(req.body.item) })
  res.status(201).json({ item: req.body.item })
})

// new: what was /api/auth/... and /refresh_token of the old app is Latchkey's
const app = Fastify({ rewriteUrl: ({ url }) => /^\/(api\/auth\/|refresh_token)/.test(url) ? `/auth${url}` : url })
await app.register(latchkey, {
  prefix: '/auth',
  nodeEnv: NODE_ENV,
  mongodbUri: MONGODB_URI,
  redisUrl: REDIS_URL,
  accessTokenSecret: ACCESS_TOKEN_SECRET,
  refreshTokenSecret: REFRESH_TOKEN_SECRET,
  sessionSecret: SESSION_SECRET,
  legacyTokens: true,
  legacyTokenSecret: OLD_JWT_SECRET
})
await app.register(async (scope) => {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, _payload, done) => { done(null) }) // Express reads the body
  scope.addHook('onRequest', (request, reply, done) => {
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
