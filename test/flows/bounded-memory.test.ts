// Story: tokens, ids, addresses and cookies that nobody has seen before, more of each than any table in memory may hold, again
// and again. The tables stay at their bounds and the process does not grow (REQUIREMENTS K5). An hour of it would not fit in a
// suite: here the bounds are small and the heap is too small for what a leak of this much would keep.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { buildIfNewer } from '../../scripts/build.mjs'
import { openClient } from '../helper/client-of.ts'
import type { Call } from '../helper/http.ts'
import { readMetrics } from '../helper/metrics.ts'
import { login, register } from '../helper/people.ts'
import { startProcess } from '../helper/process.ts'
import { createDeployment, type Caller } from '../helper/service.ts'

const bound = 50
const mebibyte = 1024 * 1024
const random = (bytes: number): string => randomBytes(bytes).toString('base64url')
const address = (): string => `2001:db8:${randomBytes(4).toString('hex').replace(/(....)(....)/, '$1:$2')}::1`

/** A token that has the form of ours; its signature is nobody's. */
const forged = (kid: string): string => [{ alg: 'HS256', typ: 'at+jwt', kid }, { sub: random(16), sid: random(16), jti: random(16) }].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') + `.${random(32)}`

await t.test('K5 random tokens, ids and addresses leave memory as it was', { timeout: 180_000 }, async (t) => {
  const deployment = createDeployment(t)
  if (deployment.env['MONGODB_URI'] !== undefined) {
    const client = await openClient(t, deployment)
    t.teardown(async () => { await client.db(deployment.database).dropDatabase() })
  }
  buildIfNewer() // in here, where the heap is as large as a compiler wants it
  const server = startProcess(t, {
    ...deployment.env,
    MEMORY_TIER_ENTRIES: String(bound),
    TOKEN_MEMO_ENTRIES: String(bound),
    REQUEST_LIMIT_PER_MINUTE: '1000000',
    LOGIN_LIMIT_PER_ADDRESS: '1000000',
    SESSIONS_PER_USER: '1000',
    TRUST_PROXY: 'loopback',
    LOG_LEVEL: 'error',
    NODE_OPTIONS: '--max-old-space-size=128 --max-semi-space-size=2'
  })
  const call = server.call
  const caller: Caller = { call, get: call, post: (path, body, more) => call(path, { method: 'POST', ...(body !== undefined && { body }), ...more }) }
  const { person, accessToken: token } = await register(caller)
  const tokens = [token]
  while (tokens.length < bound * 2) tokens.push((await login(caller, person)).accessToken)
  const { kid } = JSON.parse(Buffer.from(token.split('.')[0] as string, 'base64url').toString()) as { kid: string }

  const strangers: (() => [path: string, call: Call])[] = [
    () => ['/api/protected', { token: random(60) }],
    () => ['/api/protected', { token: forged(kid) }],
    () => ['/api/protected', { token: forged(random(8)) }],
    () => ['/api/auth/refresh', { method: 'POST', body: { refreshToken: `rt1.${random(16)}.0.${random(32)}` } }],
    () => [`/api/auth/sessions/${random(16)}`, { method: 'DELETE', token }],
    () => [`/api/avatars/${random(16)}.${random(16)}`, {}],
    () => ['/api/session', { headers: { cookie: `visit=v1.${random(16)}.${random(24)}.${random(32)}` } }],
    () => [`/${random(12)}`, { headers: { 'x-request-id': random(16), 'user-agent': random(30) } }],
    () => ['/api/protected', { token: tokens[Math.floor(Math.random() * tokens.length)] as string }]
  ]
  async function round (requests: number): Promise<number> {
    for (let sent = 0; sent < requests; sent += 50) {
      await Promise.all(Array.from({ length: 50 }, async (_, i) => {
        const [path, options] = (strangers[(sent + i) % strangers.length] as typeof strangers[number])()
        const { status } = await call(path, { ...options, headers: { ...options.headers, 'x-forwarded-for': address() } })
        if (status >= 500) throw new Error(`${path}: ${status}`)
      }))
    }
    const { value } = await readMetrics(caller)
    for (const kind of ['sessions', 'tokens']) {
      const held = value('latchkey_memory_entries', { kind }) as number
      t.ok(held > 0 && held <= bound, `${held} ${kind} are held`)
    }
    return (value('process_resident_memory_bytes') as number) / mebibyte
  }

  const warm = await round(6000)
  const sizes: number[] = []
  for (let n = 0; n < 4; n++) sizes.push(await round(4000))
  t.comment(`measured: ${Math.round(warm)} MB after 6,000 requests, then every 4,000: ${sizes.map(Math.round).join(', ')} MB`)
  t.ok(Math.min(...sizes.slice(-2)) - warm < 25, `${Math.round(warm)} MB, then ${sizes.map(Math.round).join(', ')} MB`)
  t.equal((await call('/api/protected', { token })).status, 200, 'and who was signed in is')
})
