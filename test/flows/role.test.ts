// Story: `latchkey role` makes an administrator, on whatever store this run has; who is signed in stays so.
import t, { type Test } from 'tap'
import { runCommand } from '../helper/command.ts'
import { realEngines } from '../helper/engines.ts'
import { login, register } from '../helper/people.ts'
import { createDeployment, startPair, startService, type Deployment, type Service } from '../helper/service.ts'

/** The embedded store has one user at a time: the service is stopped for the command and started again. */
async function withRole (t: Test, deployment: Deployment, service: Service, args: string[]): Promise<{ service: Service, ran: Awaited<ReturnType<typeof runCommand>> }> {
  if (deployment.env['DATA_DIR'] === undefined) return { service, ran: await runCommand(['role', ...args], deployment.env) }
  const swept = deployment.swept
  deployment.swept = true
  await service.close()
  const ran = await runCommand(['role', ...args], deployment.env)
  deployment.swept = swept
  return { service: await startService(t, { deployment }), ran }
}

await t.test('the role is set, shown, and taken back; nobody is logged out', async (t) => {
  const deployment = createDeployment(t)
  const first = await startService(t, { deployment })
  const { person, userId, accessToken } = await register(first)
  const bystander = await register(first)
  const up = await withRole(t, deployment, first, [person.email.toUpperCase(), 'admin'])
  t.strictSame(up.ran, { code: 0, out: `The account ${userId} has the role admin now; it had user.\n`, err: '' })
  t.equal((await up.service.get('/api/auth/profile', { token: accessToken })).json.role, 'admin', 'the profile shows it at once')
  t.equal((await login(up.service, person)).answer.json.user.role, 'admin')
  up.service.clock.advance(61_000)
  t.equal((await up.service.get('/api/protected', { token: accessToken })).json.user.role, 'admin', 'the session, too, when its copy has run out')
  t.equal((await up.service.get('/api/auth/profile', { token: bystander.accessToken })).json.role, 'user', 'nobody else has it')

  const down = await withRole(t, deployment, up.service, [person.email, 'user'])
  t.equal(down.ran.code, 0)
  t.equal((await down.service.get('/api/auth/profile', { token: accessToken })).json.role, 'user')
  const record = await down.service.db.collection('users').findOne({ _id: userId as never })
  t.equal(record?.['version'], 2, 'a version for each change')
})

await t.test('running instances answer with the new role at once, which they had as a copy', { skip: !realEngines && 'needs two instances on one MongoDB and Redis: set REDIS_URL and MONGODB_URI' }, async (t) => {
  const deployment = createDeployment(t)
  const pair = await startPair(t, { deployment })
  const { person, accessToken } = await register(pair[0])
  const shown = () => Promise.all(pair.map(async (service) => (await service.get('/api/auth/profile', { token: accessToken })).json.role))
  t.strictSame(await shown(), ['user', 'user'])
  t.equal((await runCommand(['role', person.email, 'admin'], deployment.env)).code, 0)
  t.strictSame(await shown(), ['admin', 'admin'])
})

await t.test('a Redis that is away is said: the role is set, the instances were not told', { skip: !realEngines && 'needs a MongoDB' }, async (t) => {
  const deployment = createDeployment(t)
  const service = await startService(t, { deployment })
  const { person, userId } = await register(service)
  const ran = await runCommand(['role', person.email, 'admin'], { ...deployment.env, REDIS_URL: 'redis://127.0.0.1:9' })
  t.equal(ran.code, 1)
  t.match(ran.err, 'Redis does not answer')
  t.equal((await service.db.collection('users').findOne({ _id: userId as never }))?.['role'], 'admin')
})

await t.test('what cannot be is said, and the address is not repeated', async (t) => {
  const deployment = createDeployment(t)
  const nobody = 'nobody@leak-mark.example'
  for (const [args, code, said] of [
    [[nobody, 'admin'], 1, 'No account has this e-mail address.'],
    [[nobody], 2, 'it needs an e-mail address and a role'],
    [[nobody, 'root'], 2, 'the role is `user` or `admin`'],
    [['nobody', 'admin'], 2, 'the first argument is no e-mail address'],
    [[nobody, 'admin', 'now'], 2, 'it takes 2 arguments'],
    [[nobody, 'admin', '--force'], 2, 'there is no option --force']
  ] as const) {
    const ran = await runCommand(['role', ...args], deployment.env)
    t.equal(ran.code, code, said)
    t.match(ran.err, said)
    t.notOk(ran.err.includes(nobody))
  }
})

await t.test('a store that does not answer is said in a sentence', { skip: !realEngines && 'needs a MongoDB' }, async (t) => {
  const ran = await runCommand(['role', 'nobody@leak-mark.example', 'admin'], { ...createDeployment(t).env, MONGODB_URI: 'mongodb://127.0.0.1:9/x?serverSelectionTimeoutMS=100' })
  t.equal(ran.code, 1)
  t.match(ran.err, 'does not answer')
  t.notMatch(ran.err, /\n\s+at |127\.0\.0\.1/)
})
