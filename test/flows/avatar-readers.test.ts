// Story: pictures are replaced while others look at them, on this instance and on another (REQUIREMENTS H7, H10).
import t from 'tap'
import { judgePicture } from '../../src/user/avatar-format.ts'
import { realEngines } from '../helper/engines.ts'
import { register } from '../helper/people.ts'
import { avatarPath, pictureOf, upload, type Format } from '../helper/pictures.ts'
import { startPair, startService, type Service } from '../helper/service.ts'

const env = { LOGIN_LIMIT_PER_ADDRESS: '0' }
const services: Service[] = realEngines ? await startPair(t, { env }) : [await startService(t, { env })]
const [here, there] = [services[0], services.at(-1)] as [Service, Service]
const formats: Format[] = ['png', 'jpeg', 'webp']

await t.test('H10 a picture that was uploaded on one instance is on the other at once, and its address in the profile', { skip: !realEngines && 'needs two instances' }, async (t) => {
  const { accessToken } = await register(here)
  t.equal((await there.get('/api/auth/profile', { token: accessToken })).json.avatarUrl, null, 'it holds a copy of the profile')
  for (let i = 0; i < 10; i++) {
    const [from, to] = i % 2 === 0 ? [here, there] : [there, here]
    const { json: { avatarUrl } } = await upload(from, accessToken, await pictureOf(formats[i % 3] as Format))
    t.equal((await to.get('/api/auth/profile', { token: accessToken })).json.avatarUrl, avatarUrl)
    const [shown, same] = [await from.get(avatarUrl), await to.get(avatarUrl)]
    t.strictSame([shown.status, same.status, same.headers['content-type']], [200, 200, shown.headers['content-type']])
    t.ok(shown.bytes.equals(same.bytes))
  }
  await here.call(avatarPath, { method: 'DELETE', token: accessToken })
  t.equal((await there.get('/api/auth/profile', { token: accessToken })).json.avatarUrl, null)
})

function isWhole (bytes: Buffer): boolean {
  try {
    return judgePicture(bytes).width === 150
  } catch {
    return false
  }
}

await t.test('H7 fifty uploads leave one picture, and whoever looks meanwhile sees a whole one', async (t) => {
  const { accessToken, userId } = await register(here)
  const first = await upload(here, accessToken, await pictureOf('png', 200, 150))
  let latest = first.json.avatarUrl as string
  const enough = new AbortController()
  const seen = { looks: 0, wrong: [] as string[] }

  async function look (service: Service, address: () => string | Promise<string>): Promise<void> {
    while (!enough.signal.aborted) {
      const { status, bytes } = await service.get(await address())
      seen.looks++
      if (status !== 200 || !isWhole(bytes)) seen.wrong.push(`${status}, ${bytes.length} bytes`)
    }
  }
  const readers = services.flatMap((service) => [
    look(service, () => first.json.avatarUrl),
    look(service, () => latest),
    look(service, async () => (await service.get('/api/auth/profile', { token: accessToken })).json.avatarUrl)
  ])
  for (let i = 0; i < 50; i++) {
    const service = services[i % services.length] as Service
    const answer = await upload(service, accessToken, await pictureOf(formats[i % 3] as Format, 200, 150))
    t.equal(answer.status, 201)
    latest = answer.json.avatarUrl
  }
  enough.abort()
  await Promise.all(readers)
  t.strictSame(seen.wrong, [])
  t.ok(seen.looks > 100, `${seen.looks} looks`)
  t.equal(await here.db.collection('avatars').countDocuments({ userId }), 1)
})
