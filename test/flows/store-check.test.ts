// Story: a store that hangs tells nobody, and nobody asks. The look at the stores finds out, and says it once; and once
// more when the store is back (MISSION row 15).
import { Redis } from 'ioredis'
import t from 'tap'
import { mongodbUri } from '../helper/engines.ts'
import { startOwnEngine, withoutOwnEngines } from '../helper/own-engines.ts'
import { createDeployment, startService, until } from '../helper/service.ts'

await t.test('a Redis that hangs is told of by the look at the stores, once, and once when it is back', { skip: withoutOwnEngines }, async (t) => {
  const redis = await startOwnEngine(t, 'redis')
  const service = await startService(t, { deployment: createDeployment(t, { mongodbUri, redisUrl: redis.url }), env: { HEALTHCHECK_INTERVAL_SECONDS: '5' } })
  await until(() => service.logs.some(({ msg }) => msg === 'Redis answers'), 'it answers')
  const from = service.logs.length
  const said = (): unknown[] => service.logs.slice(from).map(({ msg }) => msg).filter((msg) => /^Redis (does not )?answer/.test(String(msg)))
  redis.freeze()
  await until(() => said().length > 0, 'nobody asks, and it is told', 15_000)
  redis.thaw()
  await until(() => said().length > 1, 'it is back', 15_000)
  t.strictSame(said(), ['Redis does not answer: MongoDB decides meanwhile', 'Redis answers'])
})

await t.test('a MongoDB that hangs is told of, once, and once when it is back', { skip: withoutOwnEngines }, async (t) => {
  const mongo = await startOwnEngine(t, 'mongo')
  const service = await startService(t, { deployment: createDeployment(t, { mongodbUri: mongo.url }), env: { HEALTHCHECK_INTERVAL_SECONDS: '5' } })
  const from = service.logs.length
  const said = (): unknown[] => service.logs.slice(from).map(({ msg }) => msg).filter((msg) => /^MongoDB/.test(String(msg)))
  mongo.freeze()
  await until(() => said().length > 0, 'it is told', 15_000)
  mongo.thaw()
  await until(() => said().length > 1, 'it is back', 15_000)
  t.strictSame(said(), ['MongoDB does not answer', 'MongoDB answers'])
})

await t.test('a Redis that refuses every command keeps its connections: the look alone finds out', { skip: withoutOwnEngines }, async (t) => {
  const redis = await startOwnEngine(t, 'redis')
  const setting = new Redis(redis.url)
  await setting.call('ACL', ['SETUSER', 'boss', 'on', 'nopass', '~*', '&*', '+@all'])
  const boss = new Redis(redis.url, { username: 'boss', password: 'x' })
  t.teardown(() => { for (const client of [setting, boss]) client.disconnect() })
  const service = await startService(t, { deployment: createDeployment(t, { mongodbUri, redisUrl: redis.url }), env: { HEALTHCHECK_INTERVAL_SECONDS: '5' } })
  await until(() => service.logs.some(({ msg }) => msg === 'Redis answers'), 'it answers')
  const from = service.logs.length
  const said = (): unknown[] => service.logs.slice(from).map(({ msg }) => msg).filter((msg) => /^Redis (does not )?answer/.test(String(msg)))
  await boss.call('ACL', ['SETUSER', 'default', '-@all', '+info'])
  await until(() => said().length > 0, 'it is told', 15_000)
  await boss.call('ACL', ['SETUSER', 'default', '+@all'])
  await until(() => said().length > 1, 'it is back', 15_000)
  t.strictSame(said(), ['Redis does not answer: MongoDB decides meanwhile', 'Redis answers'])
})
