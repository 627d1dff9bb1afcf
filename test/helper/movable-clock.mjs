// Preloaded into a process that is driven by a test: time moves when the test says so, or stands ahead from the start, and what
// stands in front of the service can be told to answer 503 to everything. The process itself knows nothing of it.
import { Server } from 'node:http'

let ahead = Number(process.env.CLOCK_AHEAD_MINUTES ?? 0) * 60_000
let isOut = false
const { now } = Date
Date.now = () => now() + ahead

const { emit } = Server.prototype
Server.prototype.emit = function (event, ...args) {
  if (!isOut || event !== 'request') return emit.call(this, event, ...args)
  args[1].writeHead(503, { 'retry-after': '1', 'content-type': 'text/plain' }).end('out of service')
  return true
}

if (process.send !== undefined) {
  process.on('message', ({ advanceMs = 0, out = isOut }) => {
    ahead += advanceMs
    isOut = out
    process.send('done')
  })
}
