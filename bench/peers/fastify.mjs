// The reference: a Fastify route without any check, and what all shares are shares of. Both of its routes are unguarded.
import Fastify from 'fastify'
import { answerTo, bearer, everybody, port, schema, serve, somebody } from './serve.mjs'

const app = Fastify({ logger: { level: 'error' } })
for (const path of ['/unguarded', '/guarded']) app.get(path, { schema }, async () => answerTo(somebody()))
await app.listen({ host: '127.0.0.1', port })

serve({ origin: app.listeningOrigin, requests: everybody().map(({ id }) => bearer(id)), close: () => app.close() })
