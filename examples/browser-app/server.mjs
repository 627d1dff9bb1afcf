// A browser app with cookies: the page and the service come from one origin, the tokens are httpOnly, and the client is loaded by
// the browser as it is shipped (a bundler would do the same).
//
//   node examples/browser-app/server.mjs
import { createReadStream, readdirSync } from 'node:fs'
import Fastify from 'fastify'
import latchkey from 'latchkey'

const app = Fastify()
await app.register(latchkey, {
  nodeEnv: process.env.NODE_ENV ?? 'development',
  dataDir: process.env.DATA_DIR ?? '.latchkey',
  ...(process.env.ACCESS_TOKEN_EXPIRY && { accessTokenExpiry: process.env.ACCESS_TOKEN_EXPIRY })
})

const client = new URL('.', import.meta.resolve('latchkey/client'))
const files = {
  '/': ['text/html', new URL('index.html', import.meta.url)],
  '/app.js': ['text/javascript', new URL('app.js', import.meta.url)],
  '/vendor/openapi-fetch.js': ['text/javascript', new URL(import.meta.resolve('openapi-fetch'))],
  ...Object.fromEntries(readdirSync(client).filter((name) => name.endsWith('.js')).map((name) => [`/vendor/latchkey/${name}`, ['text/javascript', new URL(name, client)]]))
}
for (const [path, [type, file]] of Object.entries(files)) app.get(path, async (request, reply) => await reply.type(type).send(createReadStream(file)))

console.log(`listening on ${await app.listen({ port: Number(process.env.PORT ?? 3000) })}`)
