// The Authorization header: one scheme, one token (RFC 6750 section 2.1, RFC 9110 section 11).
import t from 'tap'
import { bearerText } from '../../../src/token/bearer.ts'
import { codeOf, createTokenKit, someone } from './token-kit.ts'

await t.test('the scheme is Bearer in any case', async (t) => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) t.equal(bearerText(`${scheme} abc.def.ghi`), 'abc.def.ghi', scheme)
})

await t.test('one or more spaces part the scheme from the token, in any spelling', async (t) => {
  for (const scheme of ['Bearer', 'bearer']) t.equal(bearerText(`${scheme}   abc.def.ghi`), 'abc.def.ghi', scheme)
})

await t.test('another scheme, no token or several are a bad token, and a bad one is not skipped', async (t) => {
  const bad = [
    '', ' ', 'Bearer', 'bearer', 'bearer ', 'Bearerabc', 'Bearer\tabc', 'Basic YWRhOnB3', 'Token abc', 'JWT abc', 'abc.def.ghi', 'bearer abc def', 'bearer abc,def', 'bearer abc, Basic x', ' Bearer abc', ' bearer abc', 'bearer abc ', 'bearer\nabc',
    'x'.repeat(100_000), 'bearer ' + 'a '.repeat(1000), 'bearer ' + 'a,'.repeat(1000)
  ]
  for (const header of bad) t.equal(codeOf(() => bearerText(header)), 'token_invalid', JSON.stringify(header.slice(0, 30)))
})

await t.test('what follows the scheme is one token as a whole, or no token', async (t) => {
  const { tokens } = await createTokenKit()
  const good = tokens.issue(someone, 'sid-1', Infinity).text
  t.equal(codeOf(() => tokens.read(bearerText(`Bearer ${good}`))), undefined)
  for (const rest of ['', `${good} ${good}`, `${good},${good}`, `${good}, Basic x`, `Bearer ${good}`, `"${good}"`, `token=${good}`, `${good} `, `${good}\n`, '%E0%A4%A', 'a'.repeat(100_000), ' '.repeat(100_000)]) {
    t.equal(codeOf(() => tokens.read(bearerText(`Bearer ${rest}`))), 'token_invalid', rest.slice(0, 30))
  }
})

await t.test('any length is judged at once', async (t) => {
  const begin = performance.now()
  for (const header of ['bearer' + ' '.repeat(1_000_000), 'bearer ' + 'a'.repeat(1_000_000) + ',', 'bearer ' + 'a '.repeat(500_000)]) codeOf(() => bearerText(header))
  t.ok(performance.now() - begin < 500)
})
