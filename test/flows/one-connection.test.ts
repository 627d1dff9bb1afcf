// Story: a MongoDB that lends a single connection (REQUIREMENTS D10). Whoever asks for several at a time waits in turn;
// nothing waits for a connection that it holds itself.
import t from 'tap'
import { mongodbUri, redisUrl } from '../helper/engines.ts'
import { loginOf, newPerson } from '../helper/people.ts'
import { createDeployment, startService } from '../helper/service.ts'

const skip = mongodbUri === undefined && 'needs a MongoDB: set MONGODB_URI'

await t.test('D10 50 parallel refreshes of 50 users are all answered with one connection to MongoDB', { skip, timeout: 240_000 }, async (t) => {
  const uri = new URL(mongodbUri as string)
  uri.searchParams.set('maxPoolSize', '1')
  const service = await startService(t, { deployment: createDeployment(t, { mongodbUri: uri.href, redisUrl }), env: { LOGIN_LIMIT_PER_ADDRESS: '0' } })
  const people: string[] = []
  for (let n = 0; n < 50; n++) people.push(loginOf(await service.post('/api/auth/register', newPerson())).refreshToken)
  const answers = await Promise.all(people.map((refreshToken) => service.post('/api/auth/refresh', { refreshToken })))
  t.strictSame(answers.filter(({ status }) => status !== 200).map(({ status, text }) => `${status} ${text}`), [])
  t.ok(answers.every(({ ms }) => ms < 10_000))
})
