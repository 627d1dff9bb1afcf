// The design of the documents that this project began with: Express, jsonwebtoken and Redis. BENCH_VARIANT:
//   (none)       a token is verified, then one pipeline asks whether it is on the blacklist and is the user's session
//   key-object   the same, with the secret as a KeyObject: given a string, jsonwebtoken tries it as a public key first, on
//                every request
//   token-cache  a token that Redis knows is not verified again, its claims are the value (x-access-token)
import express from 'express'
import { Redis } from 'ioredis'
import jwt from 'jsonwebtoken'
import { createSecretKey } from 'node:crypto'
import { listen } from './express.mjs'
import { answerTo, bearer, everybody, isVariant, keyPrefix, lifetime, personOf, redisUrl, secret, serve, somebody } from './serve.mjs'

const redis = new Redis(redisUrl)
const key = isVariant('key-object') ? createSecretKey(Buffer.from(secret)) : secret
const refuse = (response) => response.status(401).json({ message: 'Unauthorized' })

async function verifyAndAsk (request, response, next) {
  const token = request.headers.authorization?.split(' ')[1]
  let claims
  try {
    claims = jwt.verify(token, key, { algorithms: ['HS256'] })
  } catch {
    return refuse(response)
  }
  const [[, blacklisted], [, session]] = await redis.pipeline().get(`${keyPrefix}blacklist:${token}`).get(`${keyPrefix}session:${claims.id}`).exec()
  if (blacklisted !== null || session === null || JSON.parse(session).token !== token) return refuse(response)
  request.user = claims
  next()
}

async function askThenVerify (request, response, next) {
  const token = request.headers['x-access-token']
  const known = token === undefined ? null : await redis.get(keyPrefix + token)
  if (known !== null) {
    request.user = JSON.parse(known)
    return next()
  }
  try {
    request.user = jwt.verify(token, key, { algorithms: ['HS256'] })
  } catch {
    return refuse(response)
  }
  await redis.set(keyPrefix + token, JSON.stringify(request.user), 'EX', lifetime)
  next()
}

const app = express()
app.disable('x-powered-by')
app.get('/unguarded', (_request, response) => { response.json(answerTo(somebody())) })
app.get('/guarded', isVariant('token-cache') ? askThenVerify : verifyAndAsk, (request, response) => { response.json(answerTo(personOf(request.user))) })
const { origin, close } = await listen(app)

const requests = []
for (const claims of everybody()) {
  const token = jwt.sign(claims, key, { algorithm: 'HS256', expiresIn: lifetime })
  await redis.set(`${keyPrefix}session:${claims.id}`, JSON.stringify({ token, user: claims }), 'EX', lifetime)
  if (isVariant('token-cache')) await redis.set(keyPrefix + token, JSON.stringify(claims), 'EX', lifetime)
  requests.push(isVariant('token-cache') ? { 'x-access-token': token } : bearer(token))
}
serve({ origin, requests, close: async () => { await close(); redis.disconnect() } })
