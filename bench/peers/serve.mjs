// What the alternatives share: people, the answer and its schema (those of GET /protected), and the talk with the bench
// over IPC, which is that of ../server.mjs: announces its address and the headers of each session, answers `cpu`, ends at
// `stop`. Nothing here runs during a request except `answerTo` and `personOf`.
import { randomBytes } from 'node:crypto'

/** How many sessions or tokens to make, all different. */
export const sessionCount = Number(process.env.BENCH_TOKENS ?? 1000)
export const { REDIS_URL: redisUrl, MONGODB_URI: mongodbUri } = process.env
/** @returns whether BENCH_VARIANT, a list separated by commas, names it */
export const isVariant = (name) => (process.env.BENCH_VARIANT ?? '').split(',').includes(name)
export const port = Number(process.env.PORT ?? 0)
export const keyPrefix = process.env.REDIS_KEY_PREFIX ?? 'peer:'
export const secret = randomBytes(32).toString('base64url')
/** Seconds that a token or session lives: longer than any run. */
export const lifetime = 3600

/** Of all people the same number of bytes. @returns what a token carries or a session holds */
export function claimsOf (n) {
  const username = `bench-${String(n).padStart(12, '0')}`
  return { id: `${username}-abc`, username, email: `${username}@example.com`, fullName: null, role: 'user' }
}

/** The public user of an answer, from what a token carries or a session holds. */
export const personOf = ({ id, username, email, fullName, role }) => ({ id, _id: id, username, email, fullName, role, avatarUrl: null })
export const answerTo = (person) => ({ message: `Hello, ${person.username}`, user: person })

const crowd = Array.from({ length: sessionCount }, (_, n) => personOf(claimsOf(n)))
let turn = 0
/** For routes without a check: as many different people as those with one answer with, which costs more than one hot object. */
export const somebody = () => crowd[turn++ % crowd.length]

const text = { type: 'string' }
const textOrNull = { type: ['string', 'null'] }
export const schema = {
  response: {
    200: {
      type: 'object',
      required: ['message', 'user'],
      properties: {
        message: text,
        user: {
          type: 'object',
          required: ['id', '_id', 'username', 'email', 'fullName', 'role', 'avatarUrl'],
          properties: { id: text, _id: text, username: text, email: text, fullName: textOrNull, role: text, avatarUrl: textOrNull }
        }
      }
    }
  }
}

/** The claims of everybody, one after another. */
export const everybody = () => Array.from({ length: sessionCount }, (_, n) => claimsOf(n))
export const bearer = (token) => ({ authorization: `Bearer ${token}` })

/** Sends a cookie back as a browser does: name and value, nothing else. */
export const cookiesOf = (setCookies) => ({ cookie: setCookies.map((line) => line.split(';', 1)[0]).join('; ') })

/**
 * Begins to talk with the bench.
 * @param origin where the server listens
 * @param requests headers of each session
 * @param close ends the server and its clients
 */
export function serve ({ origin, requests, close }) {
  process.on('disconnect', () => process.exit(1)) // whoever measured is gone
  process.on('message', (message) => {
    if (message === 'cpu') process.send({ cpu: process.cpuUsage(), counts: {} })
    if (message === 'stop') close().then(() => process.exit(0))
  })
  process.send({ origin, requests })
}
