// What may have signed the tokens of an older service.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createConfig, type Config } from '../../../src/config/config.ts'
import { readEnvironment } from '../../../src/config/environment.ts'
import { testSecret } from '../../helper/service.ts'
import { problemsOf } from './problems.ts'

const own = testSecret()
const configOf = (more: Record<string, string>): Config =>
  createConfig(readEnvironment({ ACCESS_TOKEN_SECRET: own, REFRESH_TOKEN_SECRET: testSecret(), SESSION_SECRET: testSecret(), ...more }), { randomBytes })

await t.test('nothing admits old tokens unless it is asked for', async (t) => {
  t.strictSame(configOf({}).legacySecrets, [])
  t.strictSame(configOf({ LEGACY_TOKEN_SECRET: 'old' }).legacySecrets, [])
})

await t.test('a secret of any length, or several, a comma in one of them too', async (t) => {
  const read = (text: string) => configOf({ LEGACY_TOKENS: 'on', LEGACY_TOKEN_SECRET: text }).legacySecrets
  t.strictSame(read('x'), ['x'])
  t.strictSame(read('a, b:c ,d'), ['a', 'b:c', 'd'])
  t.strictSame(read('a\\,b,c'), ['a,b', 'c'])
  t.strictSame(read('a,a'), ['a'])
  for (const text of ['a,', ',a', 'a,,b', 'a, ,b', ',']) {
    t.strictSame(problemsOf(() => read(text)), ['LEGACY_TOKEN_SECRET: between two commas there is no secret'], JSON.stringify(text))
  }
})

await t.test('without one the keys of our own ring are tried', async (t) => {
  t.strictSame(configOf({ LEGACY_TOKENS: 'on' }).legacySecrets, [own])
  const second = testSecret()
  t.strictSame(configOf({ LEGACY_TOKENS: 'on', ACCESS_TOKEN_SECRET: `k2:${second},k1:${own}` }).legacySecrets, [second, own])
})

await t.test('a weak one is taken and said at the start', async (t) => {
  const warningsOf = (more: Record<string, string>): string => configOf(more).warnings.join('\n')
  for (const weak of ['secret', 'your_access_secret_here_which_is_long_enough', `${testSecret()},short`, 'ab'.repeat(20)]) {
    const said = warningsOf({ LEGACY_TOKENS: 'on', LEGACY_TOKEN_SECRET: weak })
    t.match(said, 'LEGACY_TOKEN_SECRET is short or a known sample', weak)
    t.notOk(said.includes(weak))
    t.notMatch(warningsOf({ LEGACY_TOKEN_SECRET: weak }), 'LEGACY', 'not while it is off')
  }
  t.notMatch(warningsOf({ LEGACY_TOKENS: 'on', LEGACY_TOKEN_SECRET: testSecret() }), 'LEGACY')
  t.notMatch(warningsOf({ LEGACY_TOKENS: 'on' }), 'LEGACY')
})
