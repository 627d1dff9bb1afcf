// How the Express alternatives listen and end.
import { once } from 'node:events'
import { port } from './serve.mjs'

/** @returns its address, and how to end it */
export async function listen (app) {
  const server = app.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => { server.close(resolve) })
  }
  return { origin: `http://127.0.0.1:${server.address().port}`, close }
}
