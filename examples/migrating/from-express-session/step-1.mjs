// Step 1: Latchkey stands beside the old check, at /auth, and both admit. The old app is as it was, but for its guard, which asks
// who let the request in, and the way it is listened to; whoever uses the old addresses notices nothing.
import bcrypt from 'bcrypt'
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import Fastify from 'fastify'
import latchkey from 'latchkey'
import { MongoClient } from 'mongodb'
import { createClient } from 'redis'

// new: Latchkey has a database of its own
const { MONGODB_URI, ACCESS_TOKEN_SECRET, REFRESH_TOKEN_SECRET, SESSION_SECRET } = process.env
const { DATABASE_URL, REDIS_URL, COOKIE_SECRET, NODE_ENV = 'development', PORT = '3000' } = process.env
const db = (await new MongoClient(DATABASE_URL).connect()).db()
const [users, orders] = ['users', 'orders'].map((name) => db.collection(name))
const redis = await createClient({ url: REDIS_URL }).connect()

const old = express()
old.use(express.json())
old.use(session({
  store: new RedisStore({ client: redis }),
  secret: COOKIE_SECRET,
  resave: false,
  saveUninitialized: false,
  cookie: { httpOnly: true, sameSite: 'lax', secure: NODE_ENV === 'production', maxAge: 7 * 86_400_000 }
}))

function authenticate (req, res, next) {
  req.user ??= req.session.user // new: Latchkey has let it in, or the old session does
  if (req.user !== undefined) return next()
  res.status(401).json({ message: 'Unauthorized', code: req.refusal.code }) // new: the code, for clients that refresh
}

function signIn (req, res, { _id, username }) {
  req.session.regenerate((error) => {
    if (error) return res.status(500).json({ message: 'Not now' })
    req.session.user = { id: _id.toString(), username }
    res.json({ message: 'Signed in' })
  })
}

old.post('/register', async (req, res) => {
  const { email, username, password } = req.body
  if (await users.findOne({ email: String(email) }) !== null) return res.status(409).json({ message: 'Taken' })
  const user = { email: String(email), username: String(username), password: await bcrypt.hash(String(password), 10), createdAt: new Date() }
  const { insertedId: _id } = await users.insertOne(user)
  signIn(req, res, { _id, ...user })
})
old.post('/login', async (req, res) => {
  const user = await users.findOne({ email: String(req.body.email) })
  if (user === null || !await bcrypt.compare(String(req.body.password), user.password)) return res.status(401).json({ message: 'Invalid credentials' })
  signIn(req, res, user)
})
old.post('/logout', (req, res) => {
  req.session.destroy(() => { res.clearCookie('connect.sid').json({ message: 'Signed out' }) })
})

old.get('/orders', authenticate, async ({ user }, res) => {
  res.json({ for: user.username, orders: (await orders.find({ userId: user.id }).toArray()).map(({ item }) => item) })
})
old.post('/orders', authenticate, async ({ user, body }, res) => {
  await orders.insertOne({ userId: user.id, item: String(body.item) })
  res.status(201).json({ item: body.item })
})

// new, from here: Latchkey at /auth, and the old app for everything else
const app = Fastify()
await app.register(latchkey, {
  prefix: '/auth',
  nodeEnv: NODE_ENV,
  mongodbUri: MONGODB_URI,
  redisUrl: REDIS_URL,
  accessTokenSecret: ACCESS_TOKEN_SECRET,
  refreshTokenSecret: REFRESH_TOKEN_SECRET,
  sessionSecret: SESSION_SECRET
})
await app.register(async (scope) => {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, _payload, done) => { done(null) }) // Express reads the body
  scope.addHook('onRequest', (request, reply, done) => {
    app.authenticate(request, reply, (error) => {
      if (error === undefined) request.raw.user = request.user
      else request.raw.refusal = error
      done(error === undefined || error.statusCode === 401 ? undefined : error) // a 401 says: not known here
    })
  })
  scope.all('/*', (request, reply) => {
    reply.hijack()
    old(request.raw, reply.raw)
  })
})
await app.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`listening on ${app.listeningOrigin}`)
