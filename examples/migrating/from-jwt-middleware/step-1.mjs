// Step 1: Latchkey stands beside the old check, at /auth, and both admit. Each is told by the other who has signed out. Whoever
// uses the old addresses notices nothing. What is new has a comment that says so.
import bcrypt from 'bcrypt'
import express from 'express'
import Fastify from 'fastify'
import jwt from 'jsonwebtoken'
import latchkey from 'latchkey'
import { MongoClient, ObjectId } from 'mongodb'
import { createHash } from 'node:crypto'
import { createClient } from 'redis'

// new: Latchkey has a database of its own, and JWT_SECRET is OLD_JWT_SECRET now
const { MONGODB_URI, ACCESS_TOKEN_SECRET, REFRESH_TOKEN_SECRET, SESSION_SECRET, NODE_ENV = 'development' } = process.env
const { DATABASE_URL, REDIS_URL, OLD_JWT_SECRET, JWT_EXPIRES_IN = '24h', PORT = '3000' } = process.env
const db = (await new MongoClient(DATABASE_URL).connect()).db()
const [users, usersession, orders] = ['users', 'usersession', 'orders'].map((name) => db.collection(name))
const redis = await createClient({ url: REDIS_URL }).connect()

const old = express()
old.use(express.json())

async function issue ({ _id, username, email }) {
  const token = jwt.sign({ _id, username, email }, OLD_JWT_SECRET, { expiresIn: JWT_EXPIRES_IN })
  await usersession.insertOne({ userId: new ObjectId(_id), token, createdAt: new Date() })
  return token
}

async function endHere (token) {
  await usersession.deleteMany({ token })
  await redis.del(`token:${token}`)
}

async function end (token) {
  await endHere(token)
  await app.inject({ method: 'POST', url: '/auth/api/auth/logout', headers: { authorization: `Bearer ${token}` } }) // new: there too, if it has been imported
}

async function authenticate (req, res, next) {
  const token = req.headers.authorization?.split(' ')[1]
  req.token = token
  if (req.user !== undefined) return next() // new: Latchkey has let it in
  try {
    const claims = jwt.verify(token, OLD_JWT_SECRET, { algorithms: ['HS256'] })
    if (await redis.get(`token:${token}`) === null) {
      if (await usersession.findOne({ token }) === null) throw new Error('signed out')
      await redis.set(`token:${token}`, '1', { EX: 60 })
    }
    req.user = claims
  } catch {
    return res.status(401).json({ message: 'Unauthorized', code: req.refusal?.code }) // new: the code, for clients that refresh
  }
  next()
}

old.post('/api/auth/register', async (req, res) => {
  const { email, username, password } = req.body
  if (await users.findOne({ email: String(email) }) !== null) return res.status(409).json({ message: 'Taken' })
  const user = { email: String(email), username: String(username), password: await bcrypt.hash(String(password), 10), createdAt: new Date() }
  const { insertedId: _id } = await users.insertOne(user)
  res.status(201).json({ message: 'Registered', token: await issue({ _id, ...user }) })
})
old.post('/api/auth/login', async (req, res) => {
  const user = await users.findOne({ email: String(req.body.email) })
  if (user === null || !await bcrypt.compare(String(req.body.password), user.password)) return res.status(400).json({ message: 'Invalid credentials' })
  res.json({ message: 'Login successful', token: await issue(user) })
})
old.post('/refresh_token', authenticate, async (req, res) => {
  const token = await issue(req.user)
  await end(req.token)
  res.json({ token })
})
old.post('/api/auth/logout', authenticate, async (req, res) => {
  await end(req.token)
  res.json({ message: 'Logged out' })
})

old.get('/api/orders', authenticate, async (req, res) => {
  res.json({ for: req.user.username, orders: (await orders.find({ userId: req.user._id }).toArray()).map(({ item }) => item) })
})
old.post('/api/orders', authenticate, async (req, res) => {
  await orders.insertOne({ userId: req.user._id, item: String(req.body.item) })
  res.status(201).json({ item: req.body.item })
})

// new, from here: Latchkey at /auth, and the old app for everything else

/** Who signs out at Latchkey is out here too. It knows a session of an old token by the token's hash. */
async function endHereOf (userId, isMeant = () => true) {
  for await (const { token } of usersession.find({ userId: new ObjectId(userId) })) {
    if (isMeant(createHash('sha256').update(token).digest('base64url'))) await endHere(token)
  }
}

const app = Fastify()
await app.register(latchkey, {
  prefix: '/auth',
  nodeEnv: NODE_ENV,
  mongodbUri: MONGODB_URI,
  redisUrl: REDIS_URL,
  accessTokenSecret: ACCESS_TOKEN_SECRET,
  refreshTokenSecret: REFRESH_TOKEN_SECRET,
  sessionSecret: SESSION_SECRET,
  legacyTokens: true,
  legacyTokenSecret: OLD_JWT_SECRET,
  hooks: {
    onSignedOut: ({ userId, sid, reason }) => endHereOf(userId, (id) => reason === 'logout_all' || (id === sid) !== (reason === 'other_sessions_ended')),
    onPasswordChanged: ({ userId }) => endHereOf(userId)
  }
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
