// How many guesses and registrations are let through, who is stopped by whom, and what is written into a counter's keys.
import t from 'tap'
import { createLocalCounter, type LimitCounter } from '../../../src/limit/limit-counter.ts'
import { createLoginLimits, type LoginLimits, type LoginLimitsOptions, type Reservation } from '../../../src/limit/login-limits.ts'
import { createStillClock, type TestClock } from '../../helper/clock.ts'
import { emailMark, secretMark } from '../../helper/evidence.ts'

interface Kit { limits: LoginLimits, clock: TestClock, keys: string[] }

function createKit (options: Partial<LoginLimitsOptions> = {}): Kit {
  const clock = createStillClock()
  const keys: string[] = []
  const local = createLocalCounter(clock)
  const counter: LimitCounter = {
    take (key, windowMs) {
      keys.push(key)
      return local.take(key, windowMs)
    }
  }
  return { clock, keys, limits: createLoginLimits({ counter, hidingKey: `${secretMark}-hiding`, perAccount: 10, perAddress: 100, ...options }) }
}

const [home, stranger] = ['203.0.113.1', '198.51.100.9']
const limited = (retryAfterSeconds: number) => ({ code: 'rate_limited', extras: { retryAfterSeconds } })

async function times (count: number, reserve: () => Promise<Reservation>): Promise<Reservation[]> {
  const all: Reservation[] = []
  for (let time = 0; time < count; time++) all.push(await reserve())
  return all
}

await t.test('an account is guessed at ten times from one address in five minutes', async (t) => {
  const { limits, clock } = createKit()
  await times(10, () => limits.reserveAccount('ada', home))
  await t.rejects(limits.reserveAccount('ada', home), limited(300))
  await limits.reserveAccount('bob', home)
  clock.advance(299_001)
  await t.rejects(limits.reserveAccount('ada', home), limited(1))
  clock.advance(999)
  await limits.reserveAccount('ada', home)
})

await t.test('Retry-After is whole seconds, at least one, rounded up', async (t) => {
  const { limits, clock } = createKit({ perAccount: 1 })
  await limits.reserveAccount('ada', home)
  clock.advance(500)
  await t.rejects(limits.reserveAccount('ada', home), limited(300))
  clock.advance(298_500)
  await t.rejects(limits.reserveAccount('ada', home), limited(1))
  clock.advance(999)
  await t.rejects(limits.reserveAccount('ada', home), limited(1))
})

await t.test('a stranger who has used up his share cannot lock the owner out', async (t) => {
  const { limits, keys } = createKit()
  let refused = 0
  for (let attempt = 0; attempt < 1000; attempt++) await limits.reserveAccount('ada', stranger).catch(() => { refused++ })
  t.equal(refused, 990)
  t.equal(keys.filter((key) => key.startsWith('login:account:')).length, 10, 'the refused ones were not counted against the account')
  await times(10, () => limits.reserveAccount('ada', home))
})

await t.test('an account in all is guessed at ten times as often, from however many addresses', async (t) => {
  const { limits } = createKit()
  for (let at = 1; at <= 10; at++) await times(10, () => limits.reserveAccount('ada', `198.51.100.${at}`))
  await t.rejects(limits.reserveAccount('ada', home), limited(300))
  await limits.reserveAccount('bob', home)
})

await t.test('an address guesses a hundred times, at whatever accounts', async (t) => {
  const { limits, clock } = createKit()
  await times(100, () => limits.reserveAddress(stranger))
  await t.rejects(limits.reserveAddress(stranger), limited(300))
  await limits.reserveAddress(home)
  clock.advance(300_000)
  await limits.reserveAddress(stranger)
})

await t.test('one IPv6 network is one address, and an IPv4 address written as IPv6 is itself', async (t) => {
  const { limits } = createKit({ perAccount: 1, perAddress: 1 })
  await limits.reserveAddress('2001:db8::1')
  await t.rejects(limits.reserveAddress('2001:db8::2'), { code: 'rate_limited' })
  await limits.reserveAccount('ada', '::ffff:203.0.113.7')
  await t.rejects(limits.reserveAccount('ada', '203.0.113.7'), { code: 'rate_limited' })
  await limits.reserveRegistration('2001:db8::3')
  await t.rejects(limits.reserveRegistration('2001:db8::4'), { code: 'rate_limited' })
})

await t.test('first the address alone is counted, then the pair, then the account', async (t) => {
  const { limits, keys } = createKit()
  await limits.reserveAddress(home)
  await limits.reserveAccount('ada', home)
  t.match(keys, [/^login:address:203\.0\.113\.1$/, /^login:pair:[\w-]{43}:203\.0\.113\.1$/, /^login:account:[\w-]{43}$/])
  t.equal(keys.length, 3)
})

await t.test('a known account and an unknown one are counted alike', async (t) => {
  const { limits, keys } = createKit()
  for (const name of ['q7Fh0id-of-a-known-account', `nobody@${emailMark}`, 'no-such-username']) {
    keys.length = 0
    await times(10, () => limits.reserveAccount(name, home))
    await t.rejects(limits.reserveAccount(name, home), limited(300))
    t.strictSame(keys.map((key) => key.replace(/:[\w-]{43}/, ':*')).slice(0, 2), ['login:pair:*:203.0.113.1', 'login:account:*'], name)
    t.equal(keys.length, 21)
  }
})

await t.test('no name and no address of e-mail is in a key, nor can one be looked up without the secret', async (t) => {
  const email = `ada@${emailMark}`
  const [one, other] = [createKit(), createKit({ hidingKey: `${secretMark}-other` })]
  for (const { limits } of [one, other]) await limits.reserveAccount(email, home)
  t.notMatch(one.keys.join(' '), new RegExp(`ada|${emailMark}|${Buffer.from(email).toString('base64url')}`))
  t.not(one.keys[1], other.keys[1])
  const [again] = [createKit()]
  await again.limits.reserveAccount(email, home)
  t.strictSame(again.keys, one.keys, 'the same at each instance')
})

await t.test('a success gives everything back: it was no guess', async (t) => {
  const { limits } = createKit({ perAccount: 2 })
  for (let login = 0; login < 100; login++) await (await limits.reserveAccount('ada', home)).giveBack()
  const kept = await times(2, () => limits.reserveAccount('ada', home))
  await t.rejects(limits.reserveAccount('ada', home), { code: 'rate_limited' })
  await kept[0]?.giveBack()
  await kept[1]?.giveBack()
  await times(2, () => limits.reserveAccount('ada', home)) // nor did the refused attempt stay counted: it was no failed login
})

await t.test('what was given back is given back in the account as a whole, too', async () => {
  const { limits } = createKit({ perAccount: 1 })
  for (let at = 1; at <= 200; at++) await (await limits.reserveAccount('ada', `198.51.100.${at}`)).giveBack()
  await limits.reserveAccount('ada', home)
})

await t.test('a hundred guesses at once: ten are let through', async (t) => {
  const { limits } = createKit()
  const all = await Promise.allSettled(Array.from({ length: 100 }, () => limits.reserveAccount('ada', home)))
  t.equal(all.filter(({ status }) => status === 'fulfilled').length, 10)
})

await t.test('a fifth as many may register from one address, in an hour', async (t) => {
  const { limits, clock } = createKit()
  await times(20, () => limits.reserveRegistration(home))
  await t.rejects(limits.reserveRegistration(home), limited(3600))
  await limits.reserveRegistration(stranger)
  await limits.reserveAddress(home)
  clock.advance(3_599_000)
  await t.rejects(limits.reserveRegistration(home), limited(1))
  clock.advance(1000)
  await limits.reserveRegistration(home)
  const few = createKit({ perAddress: 1 })
  await few.limits.reserveRegistration(home)
  await t.rejects(few.limits.reserveRegistration(home), { code: 'rate_limited' }, 'at least one, where there is a limit at all')
})

await t.test('0 switches off all that derives from it, and counts nothing', async (t) => {
  const noAccount = createKit({ perAccount: 0 })
  await times(500, () => noAccount.limits.reserveAccount('ada', home))
  t.strictSame(noAccount.keys, [])
  await t.rejects(times(101, () => noAccount.limits.reserveAddress(home)), { code: 'rate_limited' }, 'the other one stays on')

  const noAddress = createKit({ perAddress: 0 })
  await times(500, () => noAddress.limits.reserveAddress(home))
  await times(500, () => noAddress.limits.reserveRegistration(home))
  t.strictSame(noAddress.keys, [])
  await t.rejects(times(11, () => noAddress.limits.reserveAccount('ada', home)), { code: 'rate_limited' })
  await (await noAddress.limits.reserveAddress(home)).giveBack()
})

await t.test('a counter that fails is heard: no attempt is let through uncounted', async (t) => {
  const limits = createLoginLimits({ counter: { take: () => Promise.reject(new Error('no counter')) }, hidingKey: 'x', perAccount: 1, perAddress: 1 })
  await t.rejects(limits.reserveAddress(home), { message: 'no counter' })
})
