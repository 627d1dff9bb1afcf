// What every shared tier promises; run against the one on Redis and against the fake that other tests use.
import type { Test } from 'tap'
import { outdatedMark, tombstone, type SharedTier } from '../../../src/cache/shared-tier.ts'

export interface OpenTier {
  tier: SharedTier
  tombstoneMs: number
  /** Writes past the port, as another version or another hand might. */
  write: (key: string, text: string) => Promise<void>
  /** Milliseconds that a key still stands. */
  restMs: (key: string) => Promise<number>
  /** Keys told so far. */
  told: () => Promise<readonly string[]>
  close: () => Promise<void>
}

export async function sharedTierContract (t: Test, name: string, open: () => Promise<OpenTier>): Promise<void> {
  const story = (promise: string, run: (t: Test, opened: OpenTier) => Promise<void>): Promise<unknown> => t.test(`${name}: ${promise}`, async (t) => {
    const opened = await open()
    t.teardown(opened.close)
    await run(t, opened)
  })

  await story('what was put is there until it runs out', async (t, { tier, restMs }) => {
    t.equal(await tier.get('a'), null)
    t.equal(await tier.put('a', '100|first', 100, 60_000), '100|first')
    t.equal(await tier.get('a'), '100|first')
    const rest = await restMs('a')
    t.ok(rest > 55_000 && rest <= 60_000, `${rest} ms`)
    t.equal(await tier.get('b'), null, 'under its own key only')
  })

  await story('a later reading replaces an older one, and moves the end', async (t, { tier, restMs }) => {
    await tier.put('a', '100|first', 100, 60_000)
    t.equal(await tier.put('a', '101|second', 101, 30_000), '101|second')
    t.equal(await tier.get('a'), '101|second')
    t.ok(await restMs('a') <= 30_000)
    t.equal(await tier.put('a', '101|third', 101, 30_000), '101|third', 'so does one of the same moment')
  })

  await story('an older reading never replaces a later one: it is told what is there', async (t, { tier, restMs }) => {
    await tier.put('a', '1800000000100|late', 1_800_000_000_100, 60_000)
    t.equal(await tier.put('a', '1800000000099|early', 1_800_000_000_099, 600_000), '1800000000100|late')
    t.equal(await tier.get('a'), '1800000000100|late')
    t.ok(await restMs('a') <= 60_000, 'and its end does not move')
  })

  await story('numbers are compared as numbers', async (t, { tier }) => {
    await tier.put('a', '999|nine', 999, 60_000)
    t.equal(await tier.put('a', '1000|ten', 1000, 60_000), '1000|ten')
  })

  await story('the mark of a change replaces any copy, is told, runs out soon, and no copy is written over it', async (t, { tier, restMs, told }) => {
    await tier.put('a', '9999999999999|future', 9_999_999_999_999, 60_000)
    await tier.outdate('a')
    t.equal(await tier.get('a'), outdatedMark)
    const rest = await restMs('a')
    t.ok(rest > 5000 && rest <= 10_000, `${rest} ms`)
    t.equal(await tier.put('a', '9999999999999|later', 9_999_999_999_999, 60_000), outdatedMark)
    t.equal(await tier.get('a'), outdatedMark)
    await tier.outdate('b')
    t.equal(await tier.get('b'), outdatedMark, 'also where nothing was')
    t.strictSame(await told(), ['a', 'b'])
  })

  await story('a tombstone stands above the mark, whichever came first', async (t, { tier, restMs, told }) => {
    await tier.bury('a')
    await tier.outdate('a')
    t.equal(await tier.get('a'), tombstone)
    t.ok(await restMs('a') > 10_000, 'and for its own time')
    await tier.outdate('b')
    await tier.bury('b')
    t.equal(await tier.get('b'), tombstone)
    t.strictSame(await told(), ['a', 'a', 'b', 'b'], 'each is told')
  })

  await story('a tombstone replaces any copy, also one that was read later', async (t, { tier, restMs, tombstoneMs }) => {
    await tier.put('a', '9999999999999|future', 9_999_999_999_999, 10_000)
    await tier.bury('a')
    t.equal(await tier.get('a'), tombstone)
    const rest = await restMs('a')
    t.ok(rest > tombstoneMs - 5000 && rest <= tombstoneMs, `${rest} ms`)
    await tier.bury('b')
    t.equal(await tier.get('b'), tombstone, 'also where nothing was')
  })

  await story('no copy is written over a tombstone, however late it was read', async (t, { tier, restMs, tombstoneMs }) => {
    await tier.bury('a')
    t.equal(await tier.put('a', '9999999999999|future', 9_999_999_999_999, 10_000), tombstone)
    t.equal(await tier.get('a'), tombstone)
    t.ok(await restMs('a') > tombstoneMs - 5000, 'nor is its end moved')
  })

  await story('a burial is told to every instance, and a copy is not', async (t, { tier, told }) => {
    await tier.put('a', '1|x', 1, 1000)
    await tier.bury('a')
    await tier.bury('sid-2_B')
    t.strictSame(await told(), ['a', 'sid-2_B'])
  })

  await story('an announcement is told and writes nothing', async (t, { tier, told }) => {
    await tier.put('a', '1|x', 1, 1000)
    await tier.announce('a')
    t.strictSame(await told(), ['a'])
    t.equal(await tier.get('a'), '1|x')
  })

  await story('a text without a time is replaced', async (t, { tier, write }) => {
    for (const foreign of ['', 'garbage', '{"readAt":9999999999999}', '-5|x', 'xx']) {
      await write('a', foreign)
      t.equal(await tier.put('a', '100|ours', 100, 1000), '100|ours', foreign)
    }
  })
}
