// Story: devices end each other over two instances whose copies are warm, while others sign in, and while MongoDB fails
// (REQUIREMENTS E6, I1, I17).
import t, { type Test } from 'tap'
import { startGatedPair } from '../helper/gated-pair.ts'
import { checkReads } from '../helper/gates.ts'
import type { Answer } from '../helper/http.ts'
import { login, register, type Login } from '../helper/people.ts'
import { until, type Service } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const path = '/api/auth/sessions'

/** Each story has people of its own. */
const { gates, service, other } = await startGatedPair(t, { LOGIN_LIMIT_PER_ADDRESS: '10000' })

const endOthers = async (service: Service, { accessToken: token }: Login): Promise<Answer> => await service.call(path, { method: 'DELETE', token })
const endOne = async (service: Service, { accessToken: token }: Login, sid: string): Promise<Answer> => await service.call(`${path}/${sid}`, { method: 'DELETE', token })

async function warm (logins: readonly Login[]): Promise<void> {
  for (const { accessToken: token } of logins) for (const instance of [service, other, service, other]) await instance.get('/api/protected', { token })
}

/** Refused everywhere, here at once and elsewhere as soon as the message has come. */
async function isDead (t: Test, { accessToken: token, refreshToken }: Login): Promise<void> {
  expectProblem(t, await service.get('/api/protected', { token }), 401, 'session_revoked')
  await until(async () => (await other.get('/api/protected', { token })).status === 401, 'the message has come', 1000)
  for (const instance of [service, other]) expectProblem(t, await instance.post('/api/auth/refresh', { refreshToken }), 401, 'session_revoked')
}

await t.test('E6 what ends on one instance is dead on the other, copies or not', async (t) => {
  const { person, ...first } = await register(service)
  const [second, third, fourth] = [await login(other, person), await login(service, person), await login(other, person)]
  await warm([first, second, third, fourth])
  t.equal((await endOne(service, first, second.sid)).status, 204)
  await isDead(t, second)
  t.equal((await endOthers(service, first)).json.revoked, 2)
  for (const device of [third, fourth]) await isDead(t, device)
  for (const instance of [service, other]) t.equal((await instance.get('/api/protected', { token: first.accessToken })).status, 200)
})

await t.test('a session that is opened while the others end survives', async (t) => {
  const { person, ...first } = await register(service)
  const second = await login(other, person)
  const gate = gates.hold('usersession.updateMany', 'before')
  const ending = endOthers(service, first)
  await gate.reached
  const late = await login(other, person)
  gate.open()
  t.equal((await ending).json.revoked, 1)
  await isDead(t, second)
  for (const instance of [service, other]) t.equal((await instance.get('/api/protected', { token: late.accessToken })).status, 200)
  t.equal((await other.post('/api/auth/refresh', { refreshToken: late.refreshToken })).status, 200)
})

await t.test('a refresh that meets its session\'s end brings nothing back', async (t) => {
  for (const operation of ['usersession.findOneAndUpdate', checkReads.at(-1) as string]) {
    const { person, ...first } = await register(service)
    const second = await login(service, person)
    const gate = gates.hold(operation, 'after')
    const refreshing = service.post('/api/auth/refresh', { refreshToken: second.refreshToken })
    await gate.reached
    t.equal((await endOne(other, first, second.sid)).status, 204)
    gate.open()
    const answer = await refreshing
    if (answer.status === 200) await until(async () => (await service.get('/api/protected', { token: answer.json.accessToken })).status === 401, 'it is dead', 1000)
    else expectProblem(t, answer, 401, 'session_revoked')
    t.equal((await other.get('/api/protected', { token: second.accessToken })).status, 401)
  }
})

for (const [what, operation] of [['one', 'usersession.findOneAndUpdate'], ['the others', 'usersession.updateMany']] as const) {
  for (const when of ['before', 'after'] as const) {
    await t.test(`a connection that breaks ${when} ${what} end is 503, and asked again it is done`, async (t) => {
      const { person, ...first } = await register(service)
      const second = await login(other, person)
      await warm([first, second])
      const ask = (): Promise<Answer> => what === 'one' ? endOne(service, first, second.sid) : endOthers(service, first)
      const gate = gates.hold(operation, when)
      const asking = ask()
      await gate.reached
      gate.fail(Object.assign(new Error('connection reset'), { code: 'ECONNRESET' }))
      expectProblem(t, await asking, 503, 'unavailable')
      t.equal((await service.get('/api/protected', { token: second.accessToken })).status, when === 'before' ? 200 : 401, 'here the truth is asked')
      const again = await ask()
      if (what === 'one') t.equal(again.status, 204)
      else t.strictSame([again.status, again.json.revoked], [200, when === 'before' ? 1 : 0])
      await isDead(t, second)
    })
  }
}

await t.test('of many logins at once no more than the cap live, and the list tells which', async (t) => {
  const { service, other } = await startGatedPair(t, { SESSIONS_PER_USER: '3' })
  const { person } = await register(service)
  const logins = await Promise.all(Array.from({ length: 8 }, (_, i) => login([service, other][i % 2] as Service, person)))
  const last = await login(service, person)
  const listed: string[] = (await service.get(path, { token: last.accessToken })).json.items.map(({ id }: { id: string }) => id)
  t.equal(listed.length, 3)
  t.ok(listed.includes(last.sid))
  for (const { sid, accessToken: token } of logins) {
    if (!listed.includes(sid)) await until(async () => (await other.get('/api/protected', { token })).status === 401, 'it is over', 1000)
  }
})
