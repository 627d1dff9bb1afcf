// What counts as one address, whatever the peer or a proxy writes.
import t from 'tap'
import { addressKey } from '../../../src/limit/address.ts'
import { createRandom } from '../random.ts'

await t.test('an IPv4 address counts as itself', async (t) => {
  t.equal(addressKey('203.0.113.7'), '203.0.113.7')
  t.not(addressKey('203.0.113.7'), addressKey('203.0.113.8'))
})

await t.test('an IPv4 address written as IPv6 is the same address', async (t) => {
  for (const text of ['::ffff:203.0.113.7', '::FFFF:203.0.113.7', '::ffff:cb00:7107', '0:0:0:0:0:ffff:cb00:7107']) t.equal(addressKey(text), '203.0.113.7', text)
})

await t.test('a whole IPv6 /64 counts as one, the next one as another', async (t) => {
  const key = addressKey('2001:db8:1:2::1')
  t.equal(key, '2001:db8:1:2::/64')
  for (const text of ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:0DB8:0001:0002::', '2001:db8:1:2:0:0:0:1', '2001:db8:1:2::203.0.113.7']) t.equal(addressKey(text), key, text)
  for (const text of ['2001:db8:1:3::1', '2001:db8:0:2::1', '2001:db9:1:2::1']) t.not(addressKey(text), key, text)
  t.equal(addressKey('::1'), '0:0:0:0::/64')
})

await t.test('a zone is of this machine and does not count', async (t) => {
  t.equal(addressKey('fe80::1%eth0'), 'fe80:0:0:0::/64')
  t.equal(addressKey('fe80::1%eth1'), addressKey('fe80::2'))
  t.equal(addressKey('fe80::1%'), addressKey('fe80::2'))
})

await t.test('a port that a proxy adds does not count', async (t) => {
  for (const text of ['203.0.113.7:2000', '203.0.113.7:2001']) t.equal(addressKey(text), '203.0.113.7', text)
  for (const text of ['[2001:db8:1:2::1]:443', '[2001:db8:1:2::9]']) t.equal(addressKey(text), '2001:db8:1:2::/64', text)
})

await t.test('what is no address counts as it stands, bounded', async (t) => {
  for (const text of ['', 'unknown', 'host.example', '999.1.1.1', '1:2:3', ':::', '%', '::1::2']) t.equal(addressKey(text), text, text)
  t.equal(addressKey('x'.repeat(10_000)), 'x'.repeat(64))
  t.equal(addressKey('2001:db8::1%' + 'z'.repeat(10_000)), '2001:db8:0:0::/64')
})

await t.test('no text breaks it, and no key is long', async (t) => {
  const random = createRandom()
  let wrong: string | undefined
  for (let round = 0; round < 5000 && wrong === undefined; round++) {
    const text = random.text('0123456789abcdef:.:.%/x ', random.below(80))
    try {
      if (addressKey(text).length > 64) wrong = text
    } catch {
      wrong = text
    }
  }
  t.equal(wrong, undefined, `seed ${random.seed}`)
})
