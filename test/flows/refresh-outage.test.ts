// Story: MongoDB goes away in the middle of a refresh. Before the rotation nothing is spent; after it nothing more is asked, so
// nobody is left with a token that is spent and no other, to be taken for a thief after the grace (REQUIREMENTS D9, I5).
import t from 'tap'
import { openClient } from '../helper/client-of.ts'
import { checkReads, createGates } from '../helper/gates.ts'
import { loginOf, register } from '../helper/people.ts'
import { createDeployment, startService } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const deployment = createDeployment(t)
const gates = createGates(await openClient(t, deployment))
const service = await startService(t, { deployment, mongoClient: gates.client })
const refresh = async (refreshToken: string) => await service.post('/api/auth/refresh', { refreshToken })
const reset = (): Error => Object.assign(new Error('connection reset'), { code: 'ECONNRESET' })
const generationOf = async (sid: string) => (await service.db.collection<{ _id: string, generation: number }>('usersession').findOne({ _id: sid }))?.generation

for (const operation of checkReads) {
  for (const when of ['before', 'after'] as const) {
    await t.test(`D9 a refresh that MongoDB leaves ${when} ${operation} has spent nothing: its token is good whenever it comes again`, async (t) => {
      const { refreshToken, sid } = await register(service)
      const gate = gates.hold(operation, when)
      const refreshing = refresh(refreshToken)
      await gate.reached
      gate.fail(reset())
      expectProblem(t, await refreshing, 503, 'unavailable')
      t.equal(await generationOf(sid), 0)
      t.equal((await refresh(refreshToken)).status, 200)
    })
  }
}

await t.test('a refresh whose rotation is acknowledged to nobody is asked for again within the grace', async (t) => {
  const { refreshToken, sid } = await register(service)
  const rotation = gates.hold('usersession.findOneAndUpdate', 'after')
  const refreshing = refresh(refreshToken)
  await rotation.reached
  rotation.fail(reset())
  expectProblem(t, await refreshing, 503, 'unavailable')
  t.equal(await generationOf(sid), 1, 'it was made')
  const again = await refresh(refreshToken)
  t.equal(again.status, 200)
  t.equal((await refresh(loginOf(again).refreshToken)).status, 200)
})

await t.test('D9 a refresh whose rotation MongoDB has acknowledged is answered, though MongoDB is gone the moment after', async (t) => {
  const { refreshToken, sid } = await register(service)
  const rotation = gates.hold('usersession.findOneAndUpdate', 'after')
  const refreshing = refresh(refreshToken)
  await rotation.reached
  // the last test: nobody takes these away
  const away = ['users.findOne', 'usersession.findOne', 'usersession.aggregate'].map((operation) => gates.hold(operation, 'before'))
  for (const gate of away) gate.fail(reset())
  rotation.open()
  const { answer, refreshToken: next } = loginOf(await refreshing)
  t.equal(answer.status, 200)
  t.match(next, new RegExp(`^rt1.${sid}.1.`))
})
