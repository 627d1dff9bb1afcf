// @fastify/jwt as its README shows it: `request.jwtVerify()` in an onRequest hook, the algorithm pinned, the user in the
// token. BENCH_VARIANT switches on, separated by commas:
//   cache   fast-jwt's cache of verified tokens, with room for all of them (it hashes each token to look it up)
//   plain   and keyed by the token itself, which fast-jwt's README names as the fast way
//   redis   one GET a request, in the `trusted` option: a list of revoked tokens, the usual revocable JWT
import fastifyJwt from '@fastify/jwt'
import fastifyRedis from '@fastify/redis'
import Fastify from 'fastify'
import { randomUUID } from 'node:crypto'
import { answerTo, bearer, everybody, isVariant, keyPrefix, lifetime, personOf, port, redisUrl, schema, secret, serve, sessionCount, somebody } from './serve.mjs'

const app = Fastify({ logger: { level: 'error' } })
if (isVariant('redis')) await app.register(fastifyRedis, { url: redisUrl })
await app.register(fastifyJwt, {
  secret,
  sign: { algorithm: 'HS256', expiresIn: `${lifetime}s` },
  verify: {
    algorithms: ['HS256'],
    ...(isVariant('cache') && { cache: 2 * sessionCount }),
    ...(isVariant('plain') && { cacheKeyBuilder: (token) => token })
  },
  ...(isVariant('redis') && { trusted: async (_request, { jti }) => await app.redis.get(`${keyPrefix}revoked:${jti}`) === null })
})
app.decorate('authenticate', async (request) => { await request.jwtVerify() })
app.get('/unguarded', { schema }, async () => answerTo(somebody()))
app.get('/guarded', { schema, onRequest: [app.authenticate] }, async (request) => answerTo(personOf(request.user)))
await app.listen({ host: '127.0.0.1', port })

const requests = everybody().map((claims) => bearer(app.jwt.sign({ ...claims, jti: randomUUID() })))
serve({ origin: app.listeningOrigin, requests, close: () => app.close() })
