// Another service, with no Fastify and no Latchkey in it: it verifies access tokens with the keys that the service publishes.
// It does not hear of revocations, so it lets a token in until it runs out: what must stop at once asks the service itself.
//
//   openssl genpkey -algorithm ed25519 -out access-keys.pem
//   ACCESS_TOKEN_ALGORITHM=EdDSA ACCESS_TOKEN_KEYS=access-keys.pem npm start
//   ISSUER=http://127.0.0.1:3000 PORT=4000 node examples/orders-service.mjs
import { createServer } from 'node:http'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', process.env.ISSUER ?? 'http://127.0.0.1:3000'))

// the keys could not be had, which says nothing about the token
const isOutage = (error) => !(error instanceof errors.JOSEError) || ['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID'].includes(error.code)

const server = createServer(async (request, response) => {
  const answer = (status, body, headers = {}) => { response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body)) }
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (token === undefined) return answer(401, { code: 'token_missing' }, { 'www-authenticate': 'Bearer' })
  try {
    const { payload } = await jwtVerify(token, keys, { issuer: 'latchkey', audience: 'latchkey', typ: 'at+jwt', algorithms: ['EdDSA'] })
    answer(200, { for: payload.sub, role: payload.role, orders: [] })
  } catch (error) {
    // the client refreshes on token_expired, and signs in again on everything else
    if (error instanceof errors.JWTExpired) answer(401, { code: 'token_expired' }, { 'www-authenticate': 'Bearer error="invalid_token"' })
    else if (isOutage(error)) answer(503, { code: 'unavailable' }, { 'retry-after': '1' })
    else answer(401, { code: 'token_invalid' }, { 'www-authenticate': 'Bearer error="invalid_token"' })
  }
})
server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => { console.log(`listening on http://127.0.0.1:${server.address().port}`) })
