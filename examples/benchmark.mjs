// What the check costs on your machine: a guarded address beside an open one of a running service, in turns, with autocannon.
// The project's own benchmark (npm run bench) is more careful: it gives each side its own core and counts operations.
//
//   npm start                              (in another terminal)
//   node examples/benchmark.mjs http://127.0.0.1:3000
import autocannon from 'autocannon'
import { randomBytes } from 'node:crypto'

const origin = process.argv[2] ?? 'http://127.0.0.1:3000'
const seconds = Number(process.argv[3] ?? 5)
const name = `bench-${randomBytes(4).toString('hex')}`

const registered = await fetch(`${origin}/api/auth/register`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ email: `${name}@example.com`, username: name, password: randomBytes(12).toString('hex') })
})
if (!registered.ok) throw new Error(`no account: ${registered.status} ${await registered.text()}`)
const { accessToken } = await registered.json()

const run = async (path, headers = {}) => (await autocannon({ url: `${origin}${path}`, headers, connections: 50, duration: seconds })).requests.average
const rounds = []
for (let round = 0; round < 3; round++) {
  rounds.push({ open: await run('/livez'), guarded: await run('/api/protected', { authorization: `Bearer ${accessToken}` }) })
}
const median = (list) => list.sort((one, other) => one - other)[1]
const [open, guarded] = [median(rounds.map((round) => round.open)), median(rounds.map((round) => round.guarded))]
console.log(`/livez ${Math.round(open)} a second, /api/protected ${Math.round(guarded)} a second: ${(guarded / open).toFixed(2)} of it`)
