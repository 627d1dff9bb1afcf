// Before: the check that many services have written for themselves. jsonwebtoken signs, `usersession` in MongoDB says which tokens
// are signed in, and Redis spares asking it each time.
import bcrypt from 'bcrypt'
import express from 'express'
import jwt from 'jsonwebtoken'
import { MongoClient, ObjectId } from 'mongodb'
import { createClient } from 'redis'

const { DATABASE_URL, REDIS_URL, JWT_SECRET, JWT_EXPIRES_IN = '24h', PORT = '3000' } = process.env
const db = (await new MongoClient(DATABASE_URL).connect()).db()
const [users, usersession, orders] = ['users', 'usersession', 'orders'].map((name) => db.collection(name))
const redis = await createClient({ url: REDIS_URL }).connect()

const app = express()
app.use(express.json())

async function issue ({ _id, username, email }) {
  const token = jwt.sign({ _id, username, email }, JWT_SECRET, { expiresIn: JWT_EXPIRES_IN })
  await usersession.insertOne({ userId: new ObjectId(_id), token, createdAt: new Date() })
  return token
}

async function end (token) {
  await usersession.deleteMany({ token })
  await redis.del(`token:${token}`)
}

async function authenticate (req, res, next) {
  const token = req.headers.authorization?.split(' ')[1]
  try {
    const claims = jwt.verify(token, JWT_SECRET, { algorithms: ['HS256'] })
    if (await redis.get(`token:${token}`) === null) {
      if (await usersession.findOne({ token }) === null) throw new Error('signed out')
      await redis.set(`token:${token}`, '1', { EX: 60 })
    }
    Object.assign(req, { token, user: claims })
  } catch {
    return res.status(401).json({ message: 'Unauthorized' })
  }
  next()
}

app.post('/api/auth/register', async (req, res) => {
  const { email, username, password } = req.body
  if (await users.findOne({ email: String(email) }) !== null) return res.status(409).json({ message: 'Taken' })
  const user = { email: String(email), username: String(username), password: await bcrypt.hash(String(password), 10), createdAt: new Date() }
  const { insertedId: _id } = await users.insertOne(user)
  res.status(201).json({ message: 'Registered', token: await issue({ _id, ...user }) })
})
app.post('/api/auth/login', async (req, res) => {
  const user = await users.findOne({ email: String(req.body.email) })
  if (user === null || !await bcrypt.compare(String(req.body.password), user.password)) return res.status(400).json({ message: 'Invalid credentials' })
  res.json({ message: 'Login successful', token: await issue(user) })
})
app.post('/refresh_token', authenticate, async (req, res) => {
  const token = await issue(req.user)
  await end(req.token)
  res.json({ token })
})
app.post('/api/auth/logout', authenticate, async (req, res) => {
  await end(req.token)
  res.json({ message: 'Logged out' })
})

app.get('/api/orders', authenticate, async (req, res) => {
  res.json({ for: req.user.username, orders: (await orders.find({ userId: req.user._id }).toArray()).map(({ item }) => item) })
})
app.post('/api/orders', authenticate, async (req, res) => {
  await orders.insertOne({ userId: req.user._id, item: String(req.body.item) })
  res.status(201).json({ item: req.body.item })
})

const server = app.listen(Number(PORT), '127.0.0.1', () => { console.log(`listening on http://127.0.0.1:${server.address().port}`) })
