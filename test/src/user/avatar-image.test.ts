// Pictures made anew: one at a time, not for longer than a client waits, with what a host has set for itself left alone.
import sharp from 'sharp'
import t from 'tap'
import { avatarSide, makeAvatar } from '../../../src/user/avatar-image.ts'
import { createStillClock } from '../../helper/clock.ts'
import { noise, pictureOf, pngChunk, slowJpeg, smallPng } from '../../helper/pictures.ts'
import { until } from '../../helper/service.ts'

const clock = createStillClock()

await t.test('pictures are made one after another, however many come', async (t) => {
  const files = await Promise.all(Array.from({ length: 6 }, () => pictureOf('jpeg', 600, 600)))
  let most = 0
  const watch = setInterval(() => { most = Math.max(most, sharp.counters().process + sharp.counters().queue) })
  const made = await Promise.all([...files.map((file) => makeAvatar(file, clock)), makeAvatar(slowJpeg(50), clock)])
  clearInterval(watch)
  t.equal(most, 1)
  for (const { type, bytes } of made) t.strictSame([type, (await sharp(bytes).metadata()).width], ['image/jpeg', avatarSide])
})

await t.test('one that fails does not hold up the next', async (t) => {
  const whole = await pictureOf('jpeg')
  const broken = smallPng([pngChunk('IDAT', Buffer.from('no deflate'))])
  const [bad, good] = await Promise.allSettled([makeAvatar(broken, clock), makeAvatar(whole, clock)])
  t.match(bad, { status: 'rejected', reason: { code: 'unsupported_media_type' } })
  t.equal(good.status, 'fulfilled')
  await t.rejects(makeAvatar(Buffer.from('text'), clock), { code: 'unsupported_media_type' })
})

await t.test('one that would wait for too long is put off, and the next is served', async (t) => {
  const file = await pictureOf('png')
  const first = makeAvatar(slowJpeg(50), clock)
  const second = t.rejects(makeAvatar(file, clock), { code: 'unavailable', extras: { retryAfterSeconds: 1 } })
  await until(() => sharp.counters().process === 1, 'the first is being made')
  clock.advance(4000)
  const third = makeAvatar(file, clock)
  clock.advance(1001)
  t.equal((await first).type, 'image/jpeg')
  await second
  t.equal((await third).type, 'image/png')
})

await t.test('a host\'s cache of libvips is as it was set, and not used for uploads', async (t) => {
  sharp.cache({ memory: 33, files: 7, items: 44 })
  await makeAvatar(await noise(300, 300).jpeg({ progressive: true }).toBuffer(), clock)
  await t.rejects(makeAvatar(smallPng([pngChunk('IDAT', Buffer.from('no deflate'))]), clock), { code: 'unsupported_media_type' })
  t.match(sharp.cache(), { memory: { max: 33 }, files: { max: 7 }, items: { current: 0, max: 44 } })
})

await t.test('transparency is kept where the format has it', async (t) => {
  for (const format of ['png', 'webp'] as const) {
    const file = await sharp({ create: { width: 30, height: 30, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0 } } }).toFormat(format).toBuffer()
    const { data, info } = await sharp((await makeAvatar(file, clock)).bytes).raw().toBuffer({ resolveWithObject: true })
    t.strictSame([info.channels, data[3]], [4, 0], format)
  }
})
