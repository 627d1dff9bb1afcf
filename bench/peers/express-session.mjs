// express-session with connect-redis, as the README of connect-redis sets them up: one GET a request, and one EXPIRE, which
// keeps a session that is used alive.
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import { createClient } from 'redis'
import { listen } from './express.mjs'
import { answerTo, cookiesOf, everybody, keyPrefix, lifetime, personOf, redisUrl, secret, serve, somebody } from './serve.mjs'

const redis = await createClient({ url: redisUrl }).connect()
const app = express()
app.disable('x-powered-by')
const sessions = session({
  store: new RedisStore({ client: redis, prefix: `${keyPrefix}sess:` }),
  resave: false,
  saveUninitialized: false,
  secret,
  cookie: { secure: false, httpOnly: true, sameSite: 'lax', maxAge: lifetime * 1000 }
})
const people = everybody()
app.get('/unguarded', (_request, response) => { response.json(answerTo(somebody())) })
app.get('/guarded', sessions, (request, response) => {
  const { user } = request.session
  if (user === undefined) return response.status(401).json({ message: 'Unauthorized' })
  response.json(answerTo(personOf(user)))
})
app.post('/login/:n', sessions, (request, response) => {
  request.session.user = people[request.params.n]
  response.json({})
})
const { origin, close } = await listen(app)

const requests = []
for (let n = 0; n < people.length; n++) requests.push(cookiesOf((await fetch(`${origin}/login/${n}`, { method: 'POST' })).headers.getSetCookie()))
serve({ origin, requests, close: async () => { await close(); await redis.close() } })
