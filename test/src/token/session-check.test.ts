// The check of every guarded request: at once from memory, otherwise from the tiers, and never on a token's word alone.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createBreaker } from '../../../src/cache/breaker.ts'
import { createTieredCache, type TieredCache, type Truth } from '../../../src/cache/tiered-cache.ts'
import { createLastSeen, type LastSeen } from '../../../src/session/last-seen.ts'
import { createSessionCheck, type Checked, type CheckedCopy, type SessionCheck } from '../../../src/token/session-check.ts'
import { decodeSessionCopy, type SessionCopy } from '../../../src/token/session-copy.ts'
import { codeOf, createTokenKit, forge, partsOf, someone, type TokenKit } from './token-kit.ts'

interface Kit extends TokenKit {
  check: SessionCheck
  cache: TieredCache<SessionCopy>
  truths: Map<string, Truth<SessionCopy>>
  loads: string[]
  /** Sessions that were noted as seen and written. */
  noted: { sid: string, at: number }[]
  lastSeen: LastSeen
  /** Checks that a tier behind memory decided, and the seconds that it took. */
  timed: [string, number][]
  failTruth: (fails: boolean) => void
  /** The channel of revocations; Infinity hears for ever. */
  hearing: { lastBeat: number }
  /** A token of a session; the session is in the truth unless it says otherwise. */
  tokenOf: (sid: string, userId?: string) => string
}

async function createKit ({ memoEntries = 100, capacity = 100, loadMs = 0 } = {}): Promise<Kit> {
  const kit = await createTokenKit()
  const { clock, tokens } = kit
  const truths: Kit['truths'] = new Map()
  const loads: string[] = []
  const noted: { sid: string, at: number }[] = []
  const lastSeen = createLastSeen({ sessions: { async markSeen (sids, at) { noted.push(...sids.map((sid) => ({ sid, at: at.getTime() }))) } } })
  const timed: Kit['timed'] = []
  const hearing = { lastBeat: Infinity }
  let failing = false
  const cache = createTieredCache<SessionCopy>({
    clock,
    random: () => 0,
    capacity,
    ttlMs: 60_000,
    hearing,
    codec: { encode: JSON.stringify, decode: decodeSessionCopy },
    breaker: createBreaker({ clock }),
    async load (sid) {
      loads.push(sid)
      clock.advance(loadMs)
      if (failing) throw new Error('away')
      return truths.get(sid) ?? null
    }
  })
  return {
    ...kit,
    cache,
    truths,
    loads,
    noted,
    lastSeen,
    timed,
    check: createSessionCheck({ tokens, cache, lastSeen, clock, memoEntries, randomBytes, onLoad (tier, seconds) { timed.push([tier, seconds]) } }),
    failTruth (fails) { failing = fails },
    hearing,
    tokenOf (sid, userId = 'user-1') {
      if (!truths.has(sid)) truths.set(sid, { value: { user: { ...someone, id: userId, _id: userId }, version: 0 }, expiresAt: clock.wall() + 86_400_000 })
      return tokens.issue({ ...someone, id: userId }, sid, Infinity).text
    }
  }
}

/** The answer that came at once; a promise is a failure. */
function atOnce (answer: CheckedCopy | Promise<Checked>): CheckedCopy {
  if (answer instanceof Promise) throw new Error('a promise, not an answer')
  return answer
}

await t.test('the first check asks the truth, the next one answers at once, without a promise', async (t) => {
  const { check, tokenOf, loads } = await createKit()
  const text = tokenOf('sid-1')
  const first = check.ask(text)
  t.ok(first instanceof Promise)
  t.match(await first, { tier: 'mongo', copy: { key: 'sid-1', value: { user: { id: 'user-1' } } } })
  const second = atOnce(check.ask(text))
  t.equal(second.value.user.id, 'user-1')
  t.equal(atOnce(check.ask(text)), second, 'nothing is made for an answer')
  t.strictSame(loads, ['sid-1'])
  t.strictSame(check.counts, { memory: 2, redis: 0, mongo: 1 })
})

await t.test('a verified token is not verified again', async (t) => {
  const { check, tokenOf, engine } = await createKit()
  const text = tokenOf('sid-1')
  await check.ask(text)
  for (let time = 0; time < 100; time++) atOnce(check.ask(text))
  t.equal(engine.verified, 1)
  t.equal(check.memoSize(), 1)
})

await t.test('a new token of a session in memory is verified and answered at once', async (t) => {
  const { check, tokenOf, engine, loads } = await createKit()
  await check.ask(tokenOf('sid-1'))
  atOnce(check.ask(tokenOf('sid-1')))
  t.equal(engine.verified, 2)
  t.equal(loads.length, 1)
})

await t.test('the memo is bounded, and 0 keeps none', async (t) => {
  const few = await createKit({ memoEntries: 10 })
  for (let session = 0; session < 200; session++) await few.check.ask(few.tokenOf(`sid-${session}`))
  t.ok(few.check.memoSize() <= 10)
  const none = await createKit({ memoEntries: 0 })
  const text = none.tokenOf('sid-1')
  await none.check.ask(text)
  atOnce(none.check.ask(text))
  t.equal(none.check.memoSize(), 0)
  t.equal(none.engine.verified, 2)
})

await t.test('a hostile text with the same end is refused, and costs the honest one nothing', async (t) => {
  const { check, tokenOf, tokens, engine, loads } = await createKit()
  const honest = tokenOf('sid-1')
  await check.ask(honest)
  const [head, body, tail] = partsOf(honest)
  t.equal(tail.length, 43)
  const claims = { ...tokens.read(honest), sub: 'user-2', role: 'admin' }
  for (const hostile of [tail, `.${tail}`, `..${tail}`, `x.${tail}`, `${head}.${body}x.${tail}`, `${head}.${partsOf(forge({}, claims, ''))[1]}.${tail}`, `${partsOf(forge({ alg: 'none' }, '', ''))[0]}.${body}.${tail}`, honest + honest, ` ${honest}`, `\u0100${honest}`, honest.replace(head, head.toLowerCase())]) {
    t.equal(codeOf(() => check.ask(hostile)), 'token_invalid', hostile.slice(0, 30))
  }
  const verified = engine.verified
  atOnce(check.ask(honest))
  t.equal(engine.verified, verified, 'its memo still stands')
  t.equal(loads.length, 1, 'and no tier was asked for the others')
  t.equal(check.memoSize(), 1)
})

await t.test('a hit is for the whole text: whatever is changed in it, it is not taken from memory', async (t) => {
  const { check, tokenOf } = await createKit()
  const honest = `Bearer ${tokenOf('sid-1')}`
  await check.ask(honest.slice(7))
  t.ok(check.hit(honest))
  for (let at = 0; at < honest.length; at++) {
    const changed = honest.slice(0, at) + (honest[at] === 'x' ? 'y' : 'x') + honest.slice(at + 1)
    if (check.hit(changed) !== undefined) t.fail(`character ${at}`)
  }
  const swapped = honest.slice(0, 90) + honest.slice(98, 106) + honest.slice(90, 98) + honest.slice(106)
  for (const other of ['', 'Bearer ', honest.slice(7), ` ${honest}`, `${honest} `, honest.toLowerCase(), honest.slice(0, -1), honest.slice(1), honest + honest, swapped, `Bearer ${'x'.repeat(20_000)}${honest.slice(-43)}`]) {
    t.equal(check.hit(other), undefined, other.slice(0, 20))
  }
  t.ok(check.hit(honest), 'and the honest one still is')
})

await t.test('two changes that would undo each other in a weaker sum are noticed, and so is what one byte cannot hold', async (t) => {
  const { check, tokenOf } = await createKit()
  const token = tokenOf('sid-1')
  const honest = `Bearer ${token}`
  await check.ask(token)
  const flip = (text: string, at: number, bit: number) => text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ bit) + text.slice(at + 1)
  let tried = 0
  const end = honest.length - 43
  for (let one = 0; one < end; one += 3) {
    for (const step of [1, 2, 3, 4, 8, 16, 64]) {
      if (one + step >= end) continue
      for (const bits of [[0x80, 0x80], [1, 1], [0x40, 0x80], [0x80, 0x40]] as const) {
        tried++
        const changed = flip(flip(honest, one, bits[0]), one + step, bits[1])
        if (check.hit(changed) !== undefined) t.fail(`${bits.join()} at ${one} and ${step} further`)
        if (one >= 7 && codeOf(() => check.ask(changed.slice(7))) !== 'token_invalid') t.fail(`asked: ${bits.join()} at ${one} and ${step} further`)
      }
    }
  }
  t.ok(tried > 2000, `${tried} pairs`)
  const wide = token.replace(/[^.]/g, (character, at: number) => at > 40 && at < token.length - 43 ? String.fromCharCode(0x100 + character.charCodeAt(0)) : character)
  t.equal(codeOf(() => check.ask(wide)), 'token_invalid', 'a cookie can say this')
  for (const second of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
    for (let at = 60; at < 200; at += 7) {
      const changed = `${flip(honest, at, 1).slice(0, at + 8)}${second}${honest.slice(at + 9)}`
      if (check.hit(changed) !== undefined) t.fail(`${second} at ${at}`)
    }
  }
  t.ok(check.hit(honest))
})

await t.test('a hit does not outlive the token, the session, the copy, a revocation or a deaf channel, not by a millisecond', async (t) => {
  const ends: Record<string, (kit: Kit) => void | Promise<void>> = {
    'the token (exp)': ({ clock }) => { clock.advance(1) },
    'the session (expiresAt)': ({ clock }) => { clock.advance(1) },
    'the copy (validUntil)': ({ clock }) => { clock.advance(1) },
    'a revocation here': async ({ cache }) => { await cache.bury('sid-1') },
    'a revocation heard of': ({ cache }) => { cache.forget('sid-1') },
    'a gap in the channel': ({ cache }) => { cache.forgetAll() },
    'a channel that is deaf': ({ hearing, clock }) => { hearing.lastBeat = clock.mono() - 10_000; clock.advance(1001) }
  }
  /** Milliseconds from the check to its last moment. */
  const lasts: Record<string, number> = { 'the token (exp)': 900_000, 'the session (expiresAt)': 30_000, 'the copy (validUntil)': 60_000 }
  for (const [what, end] of Object.entries(ends)) {
    const kit = await createKit()
    const { check, tokenOf, clock, truths, cache } = kit
    const text = tokenOf('sid-1')
    if (what.startsWith('the session')) truths.set('sid-1', { value: { user: { ...someone, id: 'user-1', _id: 'user-1' }, version: 0 }, expiresAt: clock.wall() + 30_000 })
    await check.ask(text)
    const ms = lasts[what]
    if (ms !== undefined) clock.advance(ms - 1)
    if (ms === 900_000) await cache.fill('sid-1', { value: { user: { ...someone, id: 'user-1', _id: 'user-1' }, version: 0 }, expiresAt: clock.wall() + 86_400_000 }, cache.now())
    t.ok(check.hit(`Bearer ${text}`), `until ${what}`)
    await end(kit)
    t.equal(check.hit(`Bearer ${text}`), undefined, `after ${what}`)
  }
})

await t.test('a bad token dies at once, before any tier is asked', async (t) => {
  const { check, loads, engine } = await createKit()
  for (const text of ['', 'x', 'a.b.c', 'x'.repeat(12_000)]) t.equal(codeOf(() => check.ask(text)), 'token_invalid')
  t.strictSame(loads, [])
  t.equal(engine.verified, 0)
  t.equal(check.memoSize(), 0)
})

await t.test('a memo does not outlive its token: exactly at its end it is expired', async (t) => {
  const { check, tokenOf, clock, cache } = await createKit()
  const text = tokenOf('sid-1')
  await check.ask(text)
  clock.advance(899_999)
  await check.ask(text)
  atOnce(check.ask(text))
  clock.advance(1)
  t.equal(codeOf(() => check.ask(text)), 'token_expired')
  t.ok(cache.peek('sid-1'), 'though its session is in memory')
})

await t.test('a memo is no authority: an ended session refuses a verified token', async (t) => {
  for (const end of ['forget', 'forgetAll', 'bury'] as const) {
    const { check, tokenOf, cache, truths } = await createKit()
    const text = tokenOf('sid-1')
    await check.ask(text)
    atOnce(check.ask(text))
    truths.set('sid-1', null)
    await cache[end]('sid-1')
    await t.rejects(async () => await check.ask(text), { code: 'session_revoked' }, end)
    await t.rejects(async () => await check.ask(text), { code: 'session_revoked' }, 'and goes on doing so')
    t.strictSame(check.counts, { memory: 1, redis: 0, mongo: 1 }, 'a refusal is no answer of a tier')
  }
})

await t.test('a well-signed token of a session that never was is refused', async (t) => {
  const { check, tokens } = await createKit()
  await t.rejects(async () => await check.ask(tokens.issue(someone, 'sid-never', Infinity).text), { code: 'session_revoked' })
})

await t.test('a session answers for its own user only, from the truth and from memory', async (t) => {
  const { check, tokenOf, loads } = await createKit()
  const owner = tokenOf('sid-1', 'user-1')
  const thief = tokenOf('sid-1', 'user-2')
  await t.rejects(async () => await check.ask(thief), { code: 'session_revoked' }, 'asked of the truth')
  await check.ask(owner)
  atOnce(check.ask(owner))
  await t.rejects(async () => await check.ask(thief), { code: 'session_revoked' }, 'in memory for its owner')
  await t.rejects(async () => await check.ask(thief), { code: 'session_revoked' })
  t.equal(atOnce(check.ask(owner)).value.user.id, 'user-1')
  t.strictSame(loads[0], 'sid-1')
})

await t.test('when nobody can decide, the answer is "unavailable", never a no', async (t) => {
  const { check, tokenOf, clock, failTruth } = await createKit()
  const text = tokenOf('sid-1')
  failTruth(true)
  await t.rejects(async () => await check.ask(text), { code: 'unavailable', statusCode: 503 })
  failTruth(false)
  await check.ask(text)
  failTruth(true)
  clock.advance(59_999)
  atOnce(check.ask(text))
  clock.advance(1)
  await t.rejects(async () => await check.ask(text), { code: 'unavailable' }, 'a copy that has run out decides nothing')
})

await t.test('every refusal is counted by who decided, and a load is timed whatever it says', async (t) => {
  const { check, tokenOf, tokens, clock, timed, failTruth } = await createKit({ loadMs: 20 })
  const text = tokenOf('sid-1')
  const nothing = { none: { token_invalid: 0, token_expired: 0, unavailable: 0 }, redis: { session_revoked: 0 }, mongo: { session_revoked: 0 } }
  await check.ask(text)
  atOnce(check.ask(text))
  t.strictSame(check.refusals, nothing, 'none so far')
  t.equal(codeOf(() => check.ask('rubbish')), 'token_invalid')
  await t.rejects(async () => await check.ask(tokens.issue(someone, 'sid-never', Infinity).text), { code: 'session_revoked' })
  await t.rejects(async () => await check.ask(tokenOf('sid-1', 'user-2')), { code: 'session_revoked' })
  failTruth(true)
  await t.rejects(async () => await check.ask(tokenOf('sid-2')), { code: 'unavailable' })
  const unseen = tokenOf('sid-3')
  clock.advance(900_000)
  for (const late of [text, unseen]) t.equal(codeOf(() => check.ask(late)), 'token_expired')
  t.strictSame(check.refusals, { ...nothing, none: { token_invalid: 1, token_expired: 2, unavailable: 1 }, mongo: { session_revoked: 2 } })
  t.strictSame(timed, [['mongo', 0.02], ['mongo', 0.02], ['mongo', 0.02]], 'neither from memory nor when nobody decided')
})

await t.test('a copy that has run out is asked again, and the token goes on', async (t) => {
  const { check, tokenOf, clock, truths, engine } = await createKit()
  const text = tokenOf('sid-1')
  await check.ask(text)
  clock.advance(60_000)
  truths.set('sid-1', { value: { user: { ...someone, username: 'renamed' }, version: 1 }, expiresAt: clock.wall() + 86_400_000 })
  t.match(await check.ask(text), { tier: 'mongo', copy: { value: { user: { username: 'renamed' } } } })
  t.equal(atOnce(check.ask(text)).value.user.username, 'renamed')
  t.equal(engine.verified, 1)
})

await t.test('what fills a session reaches every token of it', async (t) => {
  const { check, tokenOf, cache, clock } = await createKit()
  const texts = [tokenOf('sid-1'), tokenOf('sid-1')]
  for (const text of texts) await check.ask(text)
  await cache.fill('sid-1', { value: { user: { ...someone, username: 'renamed' }, version: 1 }, expiresAt: clock.wall() + 1000 }, cache.now())
  for (const text of texts) t.equal(atOnce(check.ask(text)).value.user.username, 'renamed')
  clock.advance(1000)
  for (const text of texts) t.ok(check.ask(text) instanceof Promise, 'the new end counts for all of them')
})

await t.test('without memory every check is a promise from the next tier', async (t) => {
  const { check, tokenOf, loads } = await createKit({ capacity: 0 })
  const text = tokenOf('sid-1')
  for (let time = 0; time < 3; time++) t.match(await check.ask(text), { tier: 'mongo', copy: { key: 'sid-1', value: { user: { id: 'user-1' } } } })
  t.equal(loads.length, 3)
})

await t.test('many that bring one token at once ask once', async (t) => {
  const { check, tokenOf, loads } = await createKit()
  const text = tokenOf('sid-1')
  const all = await Promise.all(Array.from({ length: 500 }, async () => await check.ask(text)))
  t.equal(all.length, 500)
  t.equal(loads.length, 1)
})
