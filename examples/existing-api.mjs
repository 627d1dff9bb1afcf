// An API that was there before, with its own errors, hooks and a plugin of its own. Three things are added, marked with +, and
// nothing else of it changes.
//
//   node examples/existing-api.mjs
import Fastify from 'fastify'
import latchkey from 'latchkey' // +

const books = new Map([['1', { id: '1', title: 'The Analytical Engine', ownerId: null }]])

const app = Fastify({ ajv: { customOptions: { coerceTypes: true } } })
app.setErrorHandler((error, request, reply) => { reply.code(error.statusCode ?? 500).send({ oops: error.message, code: error.code }) })
app.addHook('onSend', async (request, reply) => { reply.header('x-api', 'books') })

await app.register(latchkey, { // +
  prefix: '/auth',
  nodeEnv: process.env.NODE_ENV ?? 'development',
  dataDir: process.env.DATA_DIR ?? '.latchkey',
  hooks: { onRegistered: async ({ user }) => { books.set(user.id, { id: user.id, title: `${user.username}'s first book`, ownerId: user.id }) } }
})

app.get('/books', async () => [...books.values()])

// + a part of the API is for its users: one hook for all routes of a scope
app.register(async (members) => {
  members.addHook('onRequest', app.authenticate)
  members.get('/books/mine', async ({ user }) => [...books.values()].filter(({ ownerId }) => ownerId === user.id))
  members.delete('/books/:id', { onRequest: app.requireRole('admin') }, async ({ params }) => ({ deleted: books.delete(params.id) }))
})

console.log(`listening on ${await app.listen({ port: Number(process.env.PORT ?? 3000) })}`)
