// Step 3: the old tokens have run out, the old code is gone. Orders are routes like any other, guarded by Latchkey.
import Fastify from 'fastify'
import latchkey from 'latchkey'
import { MongoClient } from 'mongodb'

const { MONGODB_URI, REDIS_URL, ACCESS_TOKEN_SECRET, REFRESH_TOKEN_SECRET, SESSION_SECRET, NODE_ENV = 'development' } = process.env
const { DATABASE_URL, PORT = '3000' } = process.env
const orders = (await new MongoClient(DATABASE_URL).connect()).db().collection('orders')

const app = Fastify({ rewriteUrl: ({ url }) => /^\/(api\/auth\/|refresh_token)/.test(url) ? `/auth${url}` : url })
await app.register(latchkey, {
  prefix: '/auth',
  nodeEnv: NODE_ENV,
  mongodbUri: MONGODB_URI,
  redisUrl: REDIS_URL,
  accessTokenSecret: ACCESS_TOKEN_SECRET,
  refreshTokenSecret: REFRESH_TOKEN_SECRET,
  sessionSecret: SESSION_SECRET
})

app.get('/api/orders', { onRequest: app.authenticate }, async ({ user }) => {
  return { for: user.username, orders: (await orders.find({ userId: user.id }).toArray()).map(({ item }) => item) }
})
app.post('/api/orders', { onRequest: app.authenticate }, async ({ user, body }, reply) => {
  await orders.insertOne({ userId: user.id, item: String(body.item) })
  return reply.code(201).send({ item: body.item })
})
await app.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`listening on ${app.listeningOrigin}`)
