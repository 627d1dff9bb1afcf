// Between step 2 and step 3, twice: a ticket for each old session that somebody is signed in by. `make` writes them into a file,
// which `npx latchkey import --sessions` takes in; `hand-out` then lets the app find them. Each is as long-lived as its session.
//
//   node tickets.mjs make sessions.json
//   node tickets.mjs hand-out sessions.json
import jwt from 'jsonwebtoken'
import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createClient } from 'redis'

const { REDIS_URL, TICKET_SECRET } = process.env
const [what, file] = process.argv.slice(2)
const redis = await createClient({ url: REDIS_URL }).connect()

async function make () {
  const tickets = []
  for await (const keys of redis.scanIterator({ MATCH: 'sess:*', COUNT: 1000 })) {
    for (const key of keys) {
      const oldSession = key.slice('sess:'.length)
      const [text, seconds, has] = await Promise.all([redis.get(key), redis.ttl(key), redis.exists(`ticket:${oldSession}`)])
      const user = text === null ? undefined : JSON.parse(text).user
      if (user === undefined || seconds <= 0 || has === 1) continue
      tickets.push({ userId: user.id, token: jwt.sign({ _id: user.id }, TICKET_SECRET, { expiresIn: seconds, jwtid: randomUUID() }), createdAt: new Date(), oldSession })
    }
  }
  writeFileSync(file, tickets.map((ticket) => `${JSON.stringify(ticket)}\n`).join(''), { mode: 0o600 })
  return tickets.length
}

async function handOut () {
  const tickets = readFileSync(file, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line))
  for (const { oldSession, token } of tickets) await redis.set(`ticket:${oldSession}`, token, { EXAT: jwt.decode(token).exp, NX: true })
  return tickets.length
}

console.log(`${await (what === 'make' ? make() : handOut())} tickets`)
await redis.close()
