// Story: keys are rotated by restarting with another ring, and nobody is logged out; also from a secret that had no name.
import t from 'tap'
import { loginOf, register } from '../helper/people.ts'
import { createDeployment, startService, testSecret } from '../helper/service.ts'

const headerOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] as string, 'base64url').toString()) as { kid: string }

await t.test('C8 [k1] -> [k2,k1] -> [k2]: old tokens live while their key is in the ring, the session outlives both', async (t) => {
  const deployment = createDeployment(t)
  const [k1, k2] = [testSecret(), testSecret()]
  const [r1, r2] = [testSecret(), testSecret()]
  const start = (access: string, refresh: string) => startService(t, { deployment, env: { ACCESS_TOKEN_SECRET: access, REFRESH_TOKEN_SECRET: refresh } })

  const one = await start(`k1:${k1}`, `r1:${r1}`)
  const first = await register(one)
  t.equal(headerOf(first.accessToken).kid, 'k1')
  await one.close()

  const two = await start(`k2:${k2},k1:${k1}`, `r2:${r2},r1:${r1}`)
  t.equal((await two.get('/api/protected', { token: first.accessToken })).status, 200, 'a token of the old key is let in')
  const second = loginOf(await two.post('/api/auth/refresh', { refreshToken: first.refreshToken }))
  t.equal(second.answer.status, 200, 'a refresh token of the old key works')
  t.equal(headerOf(second.accessToken).kid, 'k2', 'new tokens are signed with the new key')
  await two.close()

  const three = await start(`k2:${k2}`, `r2:${r2}`)
  const refused = await three.get('/api/protected', { token: first.accessToken })
  t.equal(refused.json.code, 'token_invalid', 'a token whose key is gone is refused')
  t.equal((await three.get('/api/protected', { token: second.accessToken })).status, 200)
  t.equal((await three.post('/api/auth/refresh', { refreshToken: second.refreshToken })).status, 200, 'and nobody had to sign in again')
})

await t.test('C8 a secret without a name moves down the ring without logging anybody out', async (t) => {
  const deployment = createDeployment(t)
  const before = await startService(t, { deployment })
  const { accessToken, refreshToken } = await register(before)
  await before.close()
  const after = await startService(t, {
    deployment,
    env: {
      ACCESS_TOKEN_SECRET: `new:${testSecret()},old:${deployment.env['ACCESS_TOKEN_SECRET']}`,
      REFRESH_TOKEN_SECRET: `new:${testSecret()},old:${deployment.env['REFRESH_TOKEN_SECRET']}`
    }
  })
  t.equal((await after.get('/api/protected', { token: accessToken })).status, 200)
  t.equal((await after.post('/api/auth/refresh', { refreshToken })).status, 200)
})
