// Story: a service without Redis counts its sessions when it starts. However long that takes, it starts, and counts them.
import t from 'tap'
import { openClient } from '../helper/client-of.ts'
import { mongodbUri } from '../helper/engines.ts'
import { createGates } from '../helper/gates.ts'
import { register } from '../helper/people.ts'
import { createDeployment, startService, until } from '../helper/service.ts'

const env = { HEALTHCHECK_INTERVAL_SECONDS: '5' }

await t.test('a count that does not come to its end keeps nobody out, and is told when it has', async (t) => {
  const deployment = createDeployment(t, { mongodbUri })
  const gates = createGates(await openClient(t, deployment))
  const gate = gates.hold('usersession.find', 'before')
  const service = await startService(t, { deployment, mongoClient: gates.client, env })
  const { accessToken: token } = await register(service)
  t.equal((await service.get('/api/protected', { token })).status, 200)
  const counted = () => service.logs.find(({ job, uncounted }) => job === 'statistics' && uncounted !== undefined)
  t.equal(counted(), undefined)
  gate.open()
  await until(() => counted() !== undefined, 'it is counted')
  t.match(counted(), { activeSessions: 1, uncounted: 0 })
})

await t.test('a first count that MongoDB did not answer is made again, not when the next hour is over', { skip: mongodbUri === undefined && 'the embedded store always answers' }, async (t) => {
  const deployment = createDeployment(t, { mongodbUri })
  const gates = createGates(await openClient(t, deployment))
  const gate = gates.hold('usersession.find', 'before')
  const service = await startService(t, { deployment, mongoClient: gates.client, env })
  await register(service)
  const said = (what: RegExp) => service.logs.some(({ msg }) => what.test(String(msg)))
  await until(() => said(/could not be counted/), 'it is given up')
  gate.open()
  await until(() => said(/counted anew/), 'it is counted')
  t.equal((await service.get('/api/auth/health')).json.sessionStats.activeSessions, 1)
})
