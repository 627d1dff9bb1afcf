// Before: express-session on Redis (connect-redis), as their READMEs set them up. A cookie names the session, Redis has it.
import bcrypt from 'bcrypt'
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import { MongoClient } from 'mongodb'
import { createClient } from 'redis'

const { DATABASE_URL, REDIS_URL, COOKIE_SECRET, NODE_ENV = 'development', PORT = '3000' } = process.env
const db = (await new MongoClient(DATABASE_URL).connect()).db()
const [users, orders] = ['users', 'orders'].map((name) => db.collection(name))
const redis = await createClient({ url: REDIS_URL }).connect()

const app = express()
app.use(express.json())
app.use(session({
  store: new RedisStore({ client: redis }),
  secret: COOKIE_SECRET,
  resave: false,
  saveUninitialized: false,
  cookie: { httpOnly: true, sameSite: 'lax', secure: NODE_ENV === 'production', maxAge: 7 * 86_400_000 }
}))

function authenticate (req, res, next) {
  if (req.session.user !== undefined) return next()
  res.status(401).json({ message: 'Unauthorized' })
}

function signIn (req, res, { _id, username }) {
  req.session.regenerate((error) => {
    if (error) return res.status(500).json({ message: 'Not now' })
    req.session.user = { id: _id.toString(), username }
    res.json({ message: 'Signed in' })
  })
}

app.post('/register', async (req, res) => {
  const { email, username, password } = req.body
  if (await users.findOne({ email: String(email) }) !== null) return res.status(409).json({ message: 'Taken' })
  const user = { email: String(email), username: String(username), password: await bcrypt.hash(String(password), 10), createdAt: new Date() }
  const { insertedId: _id } = await users.insertOne(user)
  signIn(req, res, { _id, ...user })
})
app.post('/login', async (req, res) => {
  const user = await users.findOne({ email: String(req.body.email) })
  if (user === null || !await bcrypt.compare(String(req.body.password), user.password)) return res.status(401).json({ message: 'Invalid credentials' })
  signIn(req, res, user)
})
app.post('/logout', (req, res) => {
  req.session.destroy(() => { res.clearCookie('connect.sid').json({ message: 'Signed out' }) })
})

app.get('/orders', authenticate, async (req, res) => {
  const { user } = req.session
  res.json({ for: user.username, orders: (await orders.find({ userId: user.id }).toArray()).map(({ item }) => item) })
})
app.post('/orders', authenticate, async (req, res) => {
  await orders.insertOne({ userId: req.session.user.id, item: String(req.body.item) })
  res.status(201).json({ item: req.body.item })
})

const server = app.listen(Number(PORT), '127.0.0.1', () => { console.log(`listening on http://127.0.0.1:${server.address().port}`) })
