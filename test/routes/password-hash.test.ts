// What is kept of a password, and how older hashes get today's form when their owner signs in (REQUIREMENTS A11,
// MISSION row 38). The fixtures are hashes as older services and cheaper settings made them.
import bcrypt from 'bcrypt'
import t, { type Test } from 'tap'
import { login, register, type Person } from '../helper/people.ts'
import { startService, until } from '../helper/service.ts'

const service = await startService(t, { env: { BCRYPT_CONCURRENCY: '1' } })
const users = service.db.collection<{ _id: string, passwordHash: string }>('users')

const hashOf = async (id: string): Promise<string> => (await users.findOne({ _id: id }))?.passwordHash as string

/** An account whose hash another service made. */
async function movedIn (hash: (password: string) => string): Promise<Person & { id: string }> {
  const { person, userId } = await register(service)
  await users.updateOne({ _id: userId }, { $set: { passwordHash: hash(person.password) } })
  return { ...person, id: userId }
}

async function expectUpgraded (t: Test, person: Person & { id: string }): Promise<void> {
  const old = await hashOf(person.id)
  t.equal((await service.post('/api/auth/login', { email: person.email, password: `${person.password}?` })).status, 401)
  t.equal((await login(service, await someoneElse())).answer.status, 200)
  t.equal(await hashOf(person.id), old, 'a wrong password changes nothing')
  t.equal((await login(service, person)).userId, person.id, 'the old hash works')
  await until(async () => (await hashOf(person.id)) !== old, 'the hash is made anew')
  t.match(await hashOf(person.id), /^\$2b\$10\$/)
  t.equal((await login(service, person)).userId, person.id, 'the new hash works')
}

/** The one hashing thread takes work in order: once this login is answered, an upgrade that the one before it began is done. */
let other: Person | undefined
async function someoneElse (): Promise<Person> {
  other ??= (await register(service)).person
  return other
}

await t.test('A11 a password is kept as a bcrypt hash of the configured cost and nowhere else', async (t) => {
  const { person, userId } = await register(service)
  t.match(await hashOf(userId), /^\$2b\$10\$[A-Za-z0-9./]{53}$/)
  const { passwordHash, ...rest } = await users.findOne({ _id: userId }) ?? {}
  t.notOk(JSON.stringify(rest).includes(person.password))
  t.notOk(JSON.stringify(service.logs).includes(person.password))
})

await t.test('A11 a hash of a lower cost is made anew at login', async (t) => {
  await expectUpgraded(t, await movedIn((password) => bcrypt.hashSync(password, 5)))
})

await t.test('a $2y$ hash is read and made anew at login', async (t) => {
  await expectUpgraded(t, await movedIn((password) => bcrypt.hashSync(password, 10).replace(/^\$2b/, '$2y')))
})

await t.test('a $2a$ hash is read and made anew at login', async (t) => {
  await expectUpgraded(t, await movedIn((password) => bcrypt.hashSync(password, bcrypt.genSaltSync(10, 'a'))))
})

await t.test('a hash of a higher cost is left as it is', async (t) => {
  const person = await movedIn((password) => bcrypt.hashSync(password, 11))
  const kept = await hashOf(person.id)
  await login(service, person)
  await login(service, await someoneElse())
  t.equal(await hashOf(person.id), kept)
})
