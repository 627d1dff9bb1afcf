// Story: a service without Redis counts its sessions when it starts. However long that takes, it starts.
import t from 'tap'
import { openClient } from '../helper/client-of.ts'
import { mongodbUri } from '../helper/engines.ts'
import { createGates } from '../helper/gates.ts'
import { register } from '../helper/people.ts'
import { createDeployment, startService, until } from '../helper/service.ts'

await t.test('a count that does not come to its end keeps nobody out, and is told when it has', async (t) => {
  const deployment = createDeployment(t, { mongodbUri })
  const gates = createGates(await openClient(t, deployment))
  const gate = gates.hold('usersession.find', 'before')
  const service = await startService(t, { deployment, mongoClient: gates.client })
  const { accessToken: token } = await register(service)
  t.equal((await service.get('/api/protected', { token })).status, 200)
  const counted = () => service.logs.find(({ job, uncounted }) => job === 'statistics' && uncounted !== undefined)
  t.equal(counted(), undefined)
  gate.open()
  await until(() => counted() !== undefined, 'it is counted')
  t.match(counted(), { activeSessions: 1, uncounted: 0 })
})
