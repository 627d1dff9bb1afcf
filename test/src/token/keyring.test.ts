// Which key a token's kid stands for: one of a fixed table, or none.
import t from 'tap'
import { createKeyring } from '../../../src/token/keyring.ts'
import { createKey } from './token-kit.ts'

await t.test('the first key signs, every key is found by its kid', async (t) => {
  const [first, second] = [createKey('k2'), createKey('k1')]
  const ring = createKeyring([first, second])
  t.equal(ring.signer, first)
  t.strictSame(ring.keys, [first, second])
  t.equal(ring.find('k2'), first)
  t.equal(ring.find('k1'), second)
})

await t.test('a key that was given a name is still found by its fingerprint: nobody is signed out', async (t) => {
  const unnamed = createKey()
  const named = createKey('k1', unnamed.secret)
  t.equal(createKeyring([unnamed]).find(unnamed.kid), unnamed)
  t.equal(createKeyring([createKey('k2'), named]).find(unnamed.kid), named)
})

await t.test('a kid that is another key\'s fingerprint stands for the key that it names', async (t) => {
  const other = createKey('k1')
  const named = createKey(other.fingerprint)
  for (const ring of [[named, other], [other, named]] as const) t.equal(createKeyring([...ring]).find(other.fingerprint), named)
})

await t.test('no other kid finds anything', async (t) => {
  const ring = createKeyring([createKey('k1')])
  for (const kid of ['', 'k', 'K1', 'k1 ', 'k11', '__proto__', 'constructor', 'toString', 'undefined', '../k1', 'x'.repeat(10_000)]) t.equal(ring.find(kid), undefined, kid.slice(0, 20))
})
