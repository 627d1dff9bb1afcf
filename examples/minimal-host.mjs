// The smallest host: your app, the service under /auth, and one route of your own that only signed-in people may see.
//
//   node examples/minimal-host.mjs
//   curl -X POST localhost:3000/auth/api/auth/register -H 'content-type: application/json' \
//     -d '{"email":"ada@example.com","username":"ada","password":"correct horse battery"}'
//   curl localhost:3000/orders -H "authorization: Bearer $ACCESS_TOKEN"
import Fastify from 'fastify'
import latchkey from 'latchkey'

const app = Fastify()
await app.register(latchkey, {
  prefix: '/auth',
  nodeEnv: process.env.NODE_ENV ?? 'development', // in production it asks for secrets and a store: docs/configuration.md
  dataDir: process.env.DATA_DIR ?? '.latchkey'
})

app.get('/', async () => ({ signIn: '/auth/docs', orders: '/orders' }))
app.get('/orders', { onRequest: app.authenticate }, async ({ user }) => ({ for: user.username, orders: [] }))

console.log(`listening on ${await app.listen({ port: Number(process.env.PORT ?? 3000) })}`)
