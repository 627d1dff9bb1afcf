// Step 3: everybody who was there has traded the old session in, the old code is gone. Orders are routes like any other, guarded
// by Latchkey. Tickets are admitted until their end; then the two lines that say so go, too.
import Fastify from 'fastify'
import latchkey from 'latchkey'
import { MongoClient } from 'mongodb'

const { MONGODB_URI, REDIS_URL, ACCESS_TOKEN_SECRET, REFRESH_TOKEN_SECRET, SESSION_SECRET, TICKET_SECRET, NODE_ENV = 'development' } = process.env
const { DATABASE_URL, PORT = '3000' } = process.env
const orders = (await new MongoClient(DATABASE_URL).connect()).db().collection('orders')

const app = Fastify()
await app.register(latchkey, {
  prefix: '/auth',
  nodeEnv: NODE_ENV,
  mongodbUri: MONGODB_URI,
  redisUrl: REDIS_URL,
  accessTokenSecret: ACCESS_TOKEN_SECRET,
  refreshTokenSecret: REFRESH_TOKEN_SECRET,
  sessionSecret: SESSION_SECRET,
  legacyTokens: TICKET_SECRET !== undefined,
  legacyTokenSecret: TICKET_SECRET
})

app.get('/orders', { onRequest: app.authenticate }, async ({ user }) => {
  return { for: user.username, orders: (await orders.find({ userId: user.id }).toArray()).map(({ item }) => item) }
})
app.post('/orders', { onRequest: app.authenticate }, async ({ user, body }, reply) => {
  await orders.insertOne({ userId: user.id, item: String(body.item) })
  return reply.code(201).send({ item: body.item })
})
await app.listen({ port: Number(PORT), host: '127.0.0.1' })
console.log(`listening on ${app.listeningOrigin}`)
