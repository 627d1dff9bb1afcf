// Story: many pages at the same time, over two instances of one deployment. None is lost, none is doubled, and what an
// end cuts off is where it was told to be (REQUIREMENTS G2, G4, I11, I12).
import t, { type Test } from 'tap'
import { realEngines } from '../helper/engines.ts'
import { login, register } from '../helper/people.ts'
import { startPair, startService, type Service } from '../helper/service.ts'
import { archivedIn, visitorAt, wholeList, type Visitor } from '../helper/visitors.ts'

/** Two instances where there can be two; otherwise one, which is the same story for one process. */
const startInstances = async (t: Test): Promise<Service[]> => realEngines ? await startPair(t) : [await startService(t)]

const visitors: Record<string, (services: Service[]) => Promise<Visitor>> = {
  async guest (services) {
    const guest = visitorAt(services)
    await guest.call('POST', '/api/session')
    return guest
  },
  async user (services) {
    return visitorAt(services, { token: (await register(services[0] as Service)).accessToken })
  }
}

const pagesOf = async (visitor: Visitor): Promise<string[]> => await wholeList(visitor, '/api/session', ({ json }) => json.pagesVisited ?? []) // none where no visit runs

for (const [who, begin] of Object.entries(visitors)) {
  await t.test(`G2 100 parallel pages of a ${who} are 100 distinct pages, each once`, async (t) => {
    const services = await startInstances(t)
    const visitor = await begin(services)
    const pages = Array.from({ length: 100 }, (_, n) => `/${n}`)
    const answers = await Promise.all(pages.map((pageId) => visitor.page(pageId)))
    t.ok(answers.every(({ status }) => status === 201))
    t.strictSame(answers.map(({ json }) => json.pageCount).sort((a, b) => a - b), Array.from({ length: 100 }, (_, n) => n + 1), 'each has its own count')
    t.strictSame((await pagesOf(visitor)).sort(), [...pages].sort())
    for (const service of services) t.equal((await archivedIn(service)).length, 0)
    const closed = await visitor.end()
    t.equal(closed.json.pageCount, 100)
    const [archived] = await archivedIn(services[0] as Service, { _id: closed.json.id })
    t.strictSame(archived?.['pages'].map(({ pageId }: { pageId: string }) => pageId).sort(), [...pages].sort())
  })

  await t.test(`30 parallel pages of a ${who} with a DELETE in the middle: the archive has what was acknowledged before it`, async (t) => {
    const services = await startInstances(t)
    for (let round = 0; round < 6; round++) {
      const visitor = await begin(services)
      const first = (await visitor.call('POST', '/api/session')).json.id
      const jar = new Map(visitor.jar)
      const acknowledged: { pageId: string, at: number }[] = []
      const page = async (n: number, by: Visitor) => {
        const { status } = await by.page(`/${n}`)
        t.equal(status, 201)
        acknowledged.push({ pageId: `/${n}`, at: performance.now() })
      }
      const before = Array.from({ length: 15 }, (_, n) => page(n, visitor))
      await Promise.all(before.slice(0, round))
      const sent = performance.now()
      const ending = visitor.call('DELETE', '/api/session')
      const during = Array.from({ length: 15 }, (_, n) => page(15 + n, visitor))
      const closed = await ending
      const done = performance.now()
      t.equal(closed.status, 200)
      t.equal(closed.json.id, first)
      await Promise.all([...before, ...during])
      await page(30, visitorAt(services, { jar, ...(who === 'user' && { token: undefined }) }))

      const archived = await archivedIn(services[0] as Service, { _id: first })
      t.equal(archived.length, 1)
      const pages = archived[0]?.['pages'].map(({ pageId }: { pageId: string }) => pageId) as string[]
      t.equal(new Set(pages).size, pages.length, 'none twice')
      t.equal(closed.json.pageCount, pages.length, 'the answer is the archive')
      for (const { pageId, at } of acknowledged) if (at < sent) t.ok(pages.includes(pageId), `${pageId} was acknowledged before`)
      t.notOk(pages.includes('/30'), 'none from after it')
      t.ok(done >= sent)
      if (who === 'user') {
        const later = await pagesOf(visitor)
        t.strictSame([...pages, ...later].sort(), Array.from({ length: 30 }, (_, n) => `/${n}`).sort(), 'what came too late is in the next visit, once')
        await visitor.end()
      }
    }
  })
}

await t.test('G4 parallel ends of one visit end it once', async (t) => {
  const services = await startInstances(t)
  for (const begin of Object.values(visitors)) {
    const visitor = await begin(services)
    await visitor.page('/a')
    const { id } = (await visitor.show()).json
    const jar = new Map(visitor.jar)
    const answers = await Promise.all(Array.from({ length: 10 }, () => visitor.call('DELETE', '/api/session', undefined, { headers: jar.size > 0 ? { cookie: [...jar].map((pair) => pair.join('=')).join('; ') } : {} })))
    t.ok(answers.every(({ status }) => status === 200 || status === 404))
    t.ok(answers.some(({ status }) => status === 200))
    t.match(await archivedIn(services[0] as Service, { _id: id }), [{ pages: [{ pageId: '/a' }] }])
  }
})

await t.test('a user who begins on several devices and instances at once has one visit a device', async (t) => {
  const services = await startInstances(t)
  const { accessToken, person } = await register(services[0] as Service)
  const tokens = [accessToken, (await login(services[0] as Service, person)).accessToken]
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => visitorAt(services[i % services.length] as Service, { token: tokens[i % 4 < 2 ? 0 : 1] as string }).call('POST', '/api/session')))
  t.ok(answers.every(({ status }) => status === 200 || status === 201))
  t.equal(new Set(answers.map(({ json }) => json.id)).size, 2)
  t.equal(answers.filter(({ status }) => status === 201).length, 2, 'each is new once')
})

await t.test('what one instance is told another one shows at once', { skip: !realEngines && 'needs two instances' }, async (t) => {
  const [a, b] = await startPair(t)
  const { accessToken: token, person } = await register(a)
  const [here, there] = [visitorAt(a, { token }), visitorAt(b, { token })]
  for (let n = 0; n < 20; n++) {
    t.equal((await (n % 2 ? here : there).page(`/${n}`)).json.pageCount, n + 1, 'in turn')
    t.equal((await (n % 2 ? there : here).show()).json.pageCount, n + 1)
  }
  await a.post('/api/preferences', { theme: 'dark' }, { token })
  const other = await login(b, person)
  for (let n = 0; n < 20; n++) {
    const theme = ['light', 'dark'][n % 2] as string
    await (n % 2 ? a : b).post('/api/preferences', { theme }, { token })
    for (const service of [a, b]) {
      t.equal((await service.get('/api/preferences', { token: other.accessToken })).json.theme, theme)
      t.equal((await service.get('/api/auth/profile', { token })).json.preferences.theme, theme)
    }
  }
  await here.end()
  t.equal((await there.show()).status, 404)
  t.equal((await there.page('/new')).json.pageCount, 1)
})
