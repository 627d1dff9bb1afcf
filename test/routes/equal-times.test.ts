// What takes as long as what it must not be told from (REQUIREMENTS A10, B2). A missing hash would be a twentieth of the time.
import t from 'tap'
import { newPerson, register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { expectSameTime } from '../helper/timing.ts'

const unlimited = { LOGIN_LIMIT_PER_ADDRESS: '0', LOGIN_LIMIT_PER_ACCOUNT: '0' }

await t.test('B2 a wrong password and an unknown account take as long', async (t) => {
  const service = await startService(t, { env: unlimited })
  const { person } = await register(service)
  const enter = async (who: object) => await service.post('/api/auth/login', { ...who, password: `${person.password}?` })
  await expectSameTime(t, () => enter({ email: person.email }), () => enter({ email: newPerson().email }), 50)
})

await t.test('A10 registering a taken address and a free one take as long', async (t) => {
  const service = await startService(t, { env: { ...unlimited, BCRYPT_COST: '12' } })
  const { person } = await register(service)
  const tryRegister = async (more: object) => await service.post('/api/auth/register', { ...newPerson(), ...more })
  await expectSameTime(t, () => tryRegister({}), () => tryRegister({ email: person.email }), 15)
})
