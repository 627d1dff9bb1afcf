// Doors of the own picture and of pictures: upload, show, replace, delete (MISSION row 12, REQUIREMENTS H4 to H8, H11).
import sharp from 'sharp'
import t from 'tap'
import { register } from '../helper/people.ts'
import { avatarPath, boundary, noise, pictureOf, ultraHdr, upload, uploadCall, type Format } from '../helper/pictures.ts'
import { startService } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const service = await startService(t)
const avatars = service.db.collection<{ _id: string, userId: string }>('avatars')
const formats: Format[] = ['png', 'jpeg', 'webp']

for (const format of formats) {
  await t.test(`a ${format} becomes a ${format} of at most 512 pixels a side, a square cut from the middle`, async (t) => {
    const { accessToken } = await register(service)
    for (const [width, height, side] of [[900, 700, 512], [40, 30, 30], [1, 1, 1], [3000, 2, 2]] as const) {
      const answer = await upload(service, accessToken, await pictureOf(format, width, height))
      t.equal(answer.status, 201, answer.text)
      const shown = await service.get(answer.json.avatarUrl)
      t.equal(shown.headers['content-type'], `image/${format}`)
      const { format: kept, width: w, height: h, pages } = await sharp(shown.bytes).metadata()
      t.strictSame([kept, w, h, pages], [format, side, side, undefined])
    }
  })
}

await t.test('the answer is the profile with its new picture, and Location is where that is', async (t) => {
  const { accessToken, userId } = await register(service)
  const before = (await service.get('/api/auth/profile', { token: accessToken })).json
  const answer = await upload(service, accessToken, await pictureOf('png'))
  t.equal(answer.status, 201)
  t.equal(answer.headers['location'], answer.json.avatarUrl)
  t.match(answer.json.avatarUrl, /^\/api\/avatars\/[\w-]{22}\.[\w-]{22}$/)
  const { avatarUrl, updatedAt, ...rest } = answer.json
  t.ok(updatedAt > before.updatedAt)
  t.strictSame({ ...rest, avatarUrl: null, updatedAt: before.updatedAt }, before, 'nothing else changed')
  t.strictSame((await service.get('/api/auth/profile', { token: accessToken })).json, answer.json)
  t.notMatch(avatarUrl, userId, 'the address does not show the account')
  const other = await register(service)
  const others = await upload(service, other.accessToken, await pictureOf('png'))
  t.not(others.json.avatarUrl.slice(0, 20), avatarUrl.slice(0, 20))
})

await t.test('H6 a picture is served with the type of its content, to be shown and nothing else', async (t) => {
  const { accessToken } = await register(service)
  const { json: { avatarUrl } } = await upload(service, accessToken, await pictureOf('webp'))
  const shown = await service.get(avatarUrl)
  t.equal(shown.status, 200)
  t.match(shown.headers, {
    'content-type': 'image/webp',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'cache-control': 'public, max-age=31536000, immutable',
    'content-length': String(shown.bytes.length)
  })
  const head = await service.call(avatarUrl, { method: 'HEAD' })
  t.equal(head.status, 200)
  t.equal(head.bytes.length, 0)
  t.strictSame([head.headers['content-type'], head.headers['content-length']], ['image/webp', String(shown.bytes.length)])
  t.equal((await service.get(avatarUrl, { headers: { authorization: 'Bearer rubbish' } })).status, 200, 'nobody is asked who they are')
  for (const unknown of ['x', '..%2f..%2fetc%2fpasswd', 'A'.repeat(45), `${'A'.repeat(22)}.${'A'.repeat(22)}`, `${'A'.repeat(22)}.`, '%00', '%7b%22$ne%22:1%7d']) {
    const answer = await service.get(`/api/avatars/${unknown}`)
    expectProblem(t, answer, 404, 'not_found', { what: unknown })
    t.equal(answer.headers['cache-control'], 'no-store')
  }
})

await t.test('H7 a picture is replaced as a whole, and its old address shows the new one', async (t) => {
  const { accessToken, userId } = await register(service)
  const first = await upload(service, accessToken, await pictureOf('png'))
  const second = await upload(service, accessToken, await pictureOf('jpeg'))
  t.not(second.json.avatarUrl, first.json.avatarUrl)
  t.equal(await avatars.countDocuments({ userId }), 1)
  const [shown, old] = [await service.get(second.json.avatarUrl), await service.get(first.json.avatarUrl)]
  t.same(old.bytes, shown.bytes)
  t.equal(old.headers['content-type'], 'image/jpeg')
  t.strictSame([shown.headers['cache-control'], old.headers['cache-control']], ['public, max-age=31536000, immutable', 'no-cache'])
})

await t.test('a deleted picture is gone for everybody, and deleting again changes nothing', async (t) => {
  const { accessToken, userId } = await register(service)
  const { json: { avatarUrl } } = await upload(service, accessToken, await pictureOf('png'))
  const answer = await service.call(avatarPath, { method: 'DELETE', token: accessToken })
  t.equal(answer.status, 204)
  t.equal(answer.text, '')
  expectProblem(t, await service.get(avatarUrl), 404, 'not_found')
  const profile = (await service.get('/api/auth/profile', { token: accessToken })).json
  t.equal(profile.avatarUrl, null)
  t.equal(await avatars.countDocuments({ userId }), 0)
  t.equal((await service.call(avatarPath, { method: 'DELETE', token: accessToken })).status, 204)
  t.strictSame((await service.get('/api/auth/profile', { token: accessToken })).json, profile, 'not even the time of the last change')
  t.equal((await upload(service, accessToken, await pictureOf('png'))).status, 201)
})

await t.test('H4 what counts is the content, not the name or the type that the client tells', async (t) => {
  const { accessToken } = await register(service)
  for (const [filename, type] of [['me.txt', 'text/plain'], ['me.html', 'text/html'], ['me', 'application/octet-stream'], ['me.jpg', 'image/jpeg']] as const) {
    const answer = await upload(service, accessToken, await pictureOf('png'), filename, type)
    t.equal(answer.status, 201, type)
    t.equal((await service.get(answer.json.avatarUrl)).headers['content-type'], 'image/png')
  }
})

await t.test('H5 what the client calls the file is never used', async (t) => {
  const { accessToken, userId } = await register(service)
  const names = ['../../etc/x.png', '..\\..\\x.png', '/etc/passwd', 'a\u0000.png', 'x'.repeat(4096), '', ' ', 'CON', '<script>.png', '$ne', '__proto__', '\u202egnp.exe', 'a%0d%0ab.png', 'é.png']
  for (const filename of names) {
    const answer = await upload(service, accessToken, await pictureOf('png'), filename)
    t.equal(answer.status, 201, filename.slice(0, 20))
    t.match(answer.json.avatarUrl, /^\/api\/avatars\/[\w-]{22}\.[\w-]{22}$/)
  }
  const [kept] = await avatars.find({ userId }).toArray()
  t.strictSame(Object.keys(kept ?? {}).sort(), ['_id', 'bytes', 'createdAt', 'type', 'userId'])
  for (const filename of ['a\r\nb.png', 'a"; name="x', 'x'.repeat(20_000)]) t.ok([201, 400, 413].includes((await upload(service, accessToken, await pictureOf('png'), filename)).status), 'a name that breaks out of its quotes')
})

await t.test('H8 who is nobody uploads nothing, and no other site does it for a user', async (t) => {
  const { accessToken } = await register(service)
  const { answer } = await register(service)
  const parts = [{ filename: 'me.png', content: await pictureOf('png') }]
  expectProblem(t, await service.call(avatarPath, uploadCall(parts)), 401, 'token_missing')
  expectProblem(t, await service.call(avatarPath, uploadCall(parts, 'rubbish')), 401, 'token_invalid')
  expectProblem(t, await service.call(avatarPath, { method: 'DELETE' }), 401, 'token_missing')
  t.equal(answer.status, 201)
  const cookie = `accessToken=${accessToken}`
  for (const elsewhere of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'https://evil.example' }] as Record<string, string>[]) {
    const { headers, ...call } = uploadCall(parts)
    expectProblem(t, await service.call(avatarPath, { ...call, headers: { ...headers, ...elsewhere, cookie } }), 403, 'csrf_rejected')
    expectProblem(t, await service.call(avatarPath, { method: 'DELETE', headers: { ...elsewhere, cookie } }), 403, 'csrf_rejected')
  }
  t.equal((await service.get('/api/auth/profile', { token: accessToken })).json.avatarUrl, null)
  const { headers, ...call } = uploadCall(parts)
  t.equal((await service.call(avatarPath, { ...call, headers: { ...headers, cookie, 'sec-fetch-site': 'same-origin' } })).status, 201, 'the own page does')
})

await t.test('H11 what the file says besides its pixels is gone, and the picture stands upright', async (t) => {
  const { accessToken } = await register(service)
  const secret = 'a-place-that-nobody-needs-to-know'
  const exif = { IFD0: { Copyright: secret, ImageDescription: secret }, IFD3: { GPSLatitude: '52/1 31/1 0/1', GPSLatitudeRef: 'N' } }
  for (const format of formats) {
    const red = sharp({ create: { width: 60, height: 60, channels: 3, background: '#00f' } }).composite([{ input: { create: { width: 60, height: 20, channels: 3, background: '#f00' } }, gravity: 'north' }])
    const file = await red.withExif(exif).withXmp(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- ${secret} --></x:xmpmeta>`).withMetadata({ orientation: 6 }).toFormat(format, { quality: 100 }).toBuffer()
    t.ok(file.includes(secret), `the ${format} says it`)
    const answer = await upload(service, accessToken, file)
    t.equal(answer.status, 201, answer.text)
    const { bytes } = await service.get(answer.json.avatarUrl)
    t.notOk(bytes.includes(secret) || bytes.includes('GPS') || bytes.includes('Exif') || bytes.includes('xmpmeta'), 'what is served does not')
    const { exif: kept, xmp, icc, orientation } = await sharp(bytes).metadata()
    t.strictSame([kept, xmp, icc, orientation], [undefined, undefined, undefined, undefined])
    const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true })
    const [r = 0, , b = 0] = data.subarray((30 * info.width + 55) * info.channels)
    t.ok(r > 200 && b < 60, `turned by the file's orientation: the ${format}'s top is on the right`)
  }
})

await t.test('pictures of every kind that the formats know are taken', async (t) => {
  const { accessToken } = await register(service)
  const frames = await sharp([await pictureOf('png', 40, 40), await pictureOf('png', 40, 40)], { join: { animated: true } }).webp({ loop: 0, delay: [100, 100] }).toBuffer()
  t.equal((await sharp(frames).metadata()).pages, 2)
  const files: Record<string, Buffer> = {
    'an animated WebP': frames,
    'a PNG of 16 bits': await noise(40, 40).toColourspace('rgb16').png().toBuffer(),
    'a PNG with a palette': await noise(40, 40).png({ palette: true, colours: 16 }).toBuffer(),
    'an interlaced PNG with transparency': await noise(40, 40, 4).png({ progressive: true }).toBuffer(),
    'a grey PNG': await noise(40, 40).greyscale().png().toBuffer(),
    'a CMYK JPEG': await noise(40, 40).toColourspace('cmyk').jpeg().toBuffer(),
    'a progressive JPEG': await noise(40, 40).jpeg({ progressive: true }).toBuffer(),
    'an Ultra HDR JPEG': await ultraHdr(40, 40),
    'a grey JPEG': await noise(40, 40).greyscale().jpeg().toBuffer(),
    'a lossless WebP': await noise(40, 40, 4).webp({ lossless: true }).toBuffer()
  }
  for (const [what, file] of Object.entries(files)) {
    const answer = await upload(service, accessToken, file)
    t.equal(answer.status, 201, `${what}: ${answer.text.slice(0, 200)}`)
    const { depth, space, pages, width } = await sharp((await service.get(answer.json.avatarUrl)).bytes).metadata()
    t.strictSame([depth, pages, width], ['uchar', undefined, 40], what)
    t.ok(['srgb', 'b-w'].includes(space), `${what}: ${space}`)
  }
})

await t.test('the body is multipart, and is told so', async (t) => {
  const { accessToken } = await register(service)
  const picture = await pictureOf('png')
  for (const type of ['application/json', 'image/png', 'application/x-www-form-urlencoded', 'multipart/mixed; boundary=x', 'text/plain', 'multipart/form-datax']) {
    expectProblem(t, await service.call(avatarPath, { method: 'POST', token: accessToken, raw: picture, headers: { 'content-type': type } }), 415, 'unsupported_media_type', { what: type })
  }
  for (const headers of [{}, { 'content-type': 'multipart/form-data' }, { 'content-type': `multipart/form-data; boundary=${boundary}` }, { 'content-type': `multipart/form-data; boundary=${'x'.repeat(300)}` }, { 'content-type': 'multipart/form-data; boundary=' }] as Record<string, string>[]) {
    expectProblem(t, await service.call(avatarPath, { method: 'POST', token: accessToken, headers }), 400, 'validation_failed', { what: JSON.stringify(headers).slice(0, 80) })
  }
})
