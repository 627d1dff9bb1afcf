// Hashes: right and wrong passwords, hashes of other services, and accounts that do not exist.
import bcrypt from 'bcrypt'
import t, { type Test } from 'tap'
import { systemClock } from '../../../src/clock.ts'
import { createPasswordHasher, type PasswordHasher, type PasswordHasherOptions } from '../../../src/user/password-hasher.ts'
import { passwordMark } from '../../helper/evidence.ts'

const password = `${passwordMark}right`
const home = '127.0.0.1'

function open (t: Test, options: Partial<PasswordHasherOptions> = {}): PasswordHasher {
  const hasher = createPasswordHasher({ clock: systemClock, cost: 10, concurrency: 1, queue: 100, ...options })
  t.teardown(() => hasher.close())
  return hasher
}

/** Microseconds of this process's CPU: what else the machine does does not count. */
async function cpuOf (work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

const median = (list: number[]): number => [...list].sort((one, other) => one - other)[Math.floor(list.length / 2)] as number

await t.test('the right password fits its hash, and no other does', async (t) => {
  const hasher = open(t)
  const hash = await hasher.hash(password, home)
  t.match(hash, /^\$2b\$10\$[./A-Za-z0-9]{53}$/)
  t.not(await hasher.hash(password, home), hash, 'each hash has a salt of its own')
  t.equal(await hasher.verify(password, hash, home), true)
  for (const wrong of [`${password} `, password.toUpperCase(), password.slice(1), '', `${password}x`]) t.equal(await hasher.verify(wrong, hash, home), false, wrong)
})

await t.test('all 72 bytes count, whatever their script', async (t) => {
  const hasher = open(t)
  const long = 'ж'.repeat(35) + 'xy'
  t.equal(Buffer.byteLength(long), 72)
  const hash = await hasher.hash(long, home)
  t.equal(await hasher.verify(long, hash, home), true)
  t.equal(await hasher.verify(`${long.slice(0, -1)}z`, hash, home), false)
  t.equal(await hasher.verify(long.slice(0, -1), hash, home), false)
})

await t.test('beyond 72 bytes and with a NUL nothing ever fits', async (t) => {
  const hasher = open(t)
  const hash = await hasher.hash('x'.repeat(72), home)
  t.equal(await hasher.verify('x'.repeat(73), hash, home), false, 'bcrypt itself would say yes')
  t.ok(bcrypt.compareSync('x'.repeat(73), hash))
  const short = await hasher.hash('abcdefgh12', home)
  t.equal(await hasher.verify('abcdefgh12\0more', short, home), false)
  t.equal(await hasher.verify('x'.repeat(1_000_000), hash, home), false)
})

await t.test('nothing fits the hash of an account that does not exist, the decoy least of all', async (t) => {
  const hasher = open(t)
  for (const text of [password, '', 'password', 'decoy']) t.equal(await hasher.verify(text, null, home), false)
})

await t.test('an account that does not exist takes as long as one that does', async (t) => {
  const hasher = open(t)
  const hash = await hasher.hash(password, home)
  const durations: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] }
  for (let round = 0; round < 7; round++) {
    for (const [who, of] of [['known', hash], ['unknown', null]] as const) {
      durations[who].push(await cpuOf(() => hasher.verify('wrong password', of, home)))
    }
  }
  const ratio = median(durations.unknown) / median(durations.known)
  t.ok(ratio > 0.7 && ratio < 1.4, `${ratio.toFixed(2)} times as long`)
})

await t.test('nor does a hash from before the cost was raised tell by its time', async (t) => {
  const hasher = open(t, { cost: 12 })
  const older = await bcrypt.hash(password, 10)
  t.ok(await hasher.verify(password, older, home))
  const durations: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] }
  for (let round = 0; round < 5; round++) {
    for (const [who, of] of [['known', older], ['unknown', null]] as const) durations[who].push(await cpuOf(() => hasher.verify('wrong password', of, home)))
  }
  const ratio = median(durations.unknown) / median(durations.known)
  t.ok(ratio > 0.7 && ratio < 1.4, `${ratio.toFixed(2)} times as long`)
})

await t.test('the decoy is as dear as today\'s hashes, whatever the cost', async (t) => {
  const took = async (cost: number): Promise<number> => {
    const hasher = open(t, { cost })
    await hasher.verify(password, null, home) // starts the thread
    const durations: number[] = []
    for (let round = 0; round < 3; round++) {
      durations.push(await cpuOf(() => hasher.verify(password, null, home)))
    }
    return median(durations)
  }
  t.ok(await took(12) > 2 * await took(10))
})

await t.test('hashes of other services fit: $2a$, $2b$ and $2y$', async (t) => {
  const hasher = open(t)
  const hash = bcrypt.hashSync(password, 10)
  for (const form of ['$2a$', '$2b$', '$2y$']) {
    t.equal(await hasher.verify(password, hash.replace('$2b$', form), home), true, form)
    t.equal(await hasher.verify(`${password}x`, hash.replace('$2b$', form), home), false, form)
  }
})

await t.test('what is no hash fits nothing and breaks nothing', async (t) => {
  const hasher = open(t)
  for (const text of ['', 'x', '$2b$', '$2b$10$short', '$2x$10$' + 'a'.repeat(53), '$argon2id$v=19$m=65536', '$2b$99$' + 'a'.repeat(53)]) {
    t.equal(await hasher.verify(password, text, home), false, text)
  }
})

await t.test('a hash of less cost or an older form is outdated', async (t) => {
  const hasher = open(t, { cost: 12 })
  const hash = (form: string, cost: string): string => `$${form}$${cost}$${'a'.repeat(53)}`
  for (const old of [hash('2b', '11'), hash('2b', '04'), hash('2a', '12'), hash('2y', '12'), hash('2a', '14'), '']) t.ok(hasher.isOutdated(old), old)
  for (const good of [hash('2b', '12'), hash('2b', '13')]) t.notOk(hasher.isOutdated(good), good)
})

await t.test('a password is verified and the next one hashed in one turn', async (t) => {
  const hasher = open(t)
  const hash = bcrypt.hashSync(password, 10).replace('$2b$', '$2y$')
  const next = await hasher.replace(password, hash, 'the next one', home)
  t.equal(await hasher.verify('the next one', next, home), true)
  t.equal(await hasher.replace(`${password}x`, hash, 'the next one', home), null)
  t.equal(await hasher.replace('x'.repeat(73), hash, 'the next one', home), null)
})
