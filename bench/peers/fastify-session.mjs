// @fastify/session on Redis with connect-redis (its README: compatible with express-session's stores). No session for
// strangers, and not rolling: one GET a request. With its default, `rolling: true`, each request would also write the
// session and set the cookie.
import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import { RedisStore } from 'connect-redis'
import Fastify from 'fastify'
import { createClient } from 'redis'
import { answerTo, cookiesOf, everybody, keyPrefix, lifetime, personOf, port, redisUrl, schema, secret, serve, somebody } from './serve.mjs'

const redis = await createClient({ url: redisUrl }).connect()
const app = Fastify({ logger: { level: 'error' } })
app.get('/unguarded', { schema }, async () => answerTo(somebody()))
const people = everybody()
await app.register(async (scope) => { // the session belongs to the routes that need it
  await scope.register(fastifyCookie)
  await scope.register(fastifySession, {
    secret,
    store: new RedisStore({ client: redis, prefix: `${keyPrefix}sess:` }),
    saveUninitialized: false,
    rolling: false,
    cookie: { secure: false, httpOnly: true, sameSite: 'lax', maxAge: lifetime * 1000 }
  })
  scope.post('/login/:n', async (request) => {
    request.session.user = people[request.params.n]
    return {}
  })
  scope.get('/guarded', { schema }, async (request, reply) => {
    const { user } = request.session
    if (user === undefined) return reply.code(401).send({ message: 'Unauthorized' })
    return answerTo(personOf(user))
  })
})
await app.listen({ host: '127.0.0.1', port })

const requests = []
for (let n = 0; n < people.length; n++) requests.push(cookiesOf([(await app.inject({ method: 'POST', url: `/login/${n}` })).headers['set-cookie']].flat()))
const close = async () => {
  await app.close()
  await redis.close()
}
serve({ origin: app.listeningOrigin, requests, close })
