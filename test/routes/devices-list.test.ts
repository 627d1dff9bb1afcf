// The list of devices, page by page: the wire contract of lists. What comes or goes meanwhile moves nothing, and no query
// makes it answer something else (REQUIREMENTS I10).
import t from 'tap'
import type { Answer } from '../helper/http.ts'
import { login, register, type Login } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { expectProblem } from '../plugins/expect-problem.ts'

const service = await startService(t, { env: { SESSIONS_PER_USER: '100', LOGIN_LIMIT_PER_ADDRESS: '1000' } })
const path = '/api/auth/sessions'
const { person, ...first } = await register(service)
const devices: Login[] = [first]
for (let i = 0; i < 6; i++) devices.push(await login(service, person))
const sessions = service.db.collection<{ _id: string, createdAt: Date }>('usersession')

const ask = async (query: string): Promise<Answer> => await service.get(`${path}${query}`, { token: first.accessToken })
const idsOf = ({ json }: Answer): string[] => json.items.map(({ id }: { id: string }) => id)

async function walk (limit: number, between: (page: number) => Promise<void> = async () => { /* nothing */ }): Promise<string[]> {
  const ids: string[] = []
  let answer = await ask(`?limit=${limit}`)
  for (let page = 1; ; page++) {
    t.ok(answer.json.items.length <= limit)
    ids.push(...idsOf(answer))
    if (answer.json.nextCursor === null) return ids
    await between(page)
    const link = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link))?.[1] as string
    t.equal(link, `${path}?limit=${limit}&cursor=${answer.json.nextCursor}`)
    answer = await service.get(link, { token: first.accessToken })
  }
}

const all = idsOf(await ask(''))

await t.test('every size of page walks the same list, each session once', async (t) => {
  t.strictSame([...all].sort(), devices.map(({ sid }) => sid).sort())
  for (const limit of [1, 2, 3, 6, 7, 8, 200]) t.strictSame(await walk(limit), all, `by ${limit}`)
})

await t.test('sessions of one moment are walked, too', async (t) => {
  await sessions.updateMany({ _id: { $in: all } }, { $set: { createdAt: new Date(service.clock.wall()) } })
  const walked = await walk(2)
  t.strictSame(walked, [...all].sort().reverse())
})

await t.test('the full page at the end has no next one', async (t) => {
  const answer = await ask(`?limit=${all.length}`)
  t.strictSame([answer.json.items.length, answer.json.nextCursor, answer.headers.link], [all.length, null, undefined])
})

await t.test('what comes and goes between two pages moves nothing of the rest', async (t) => {
  const before = idsOf(await ask(''))
  const [shown, coming] = [before.slice(0, 3), before.slice(3)].map((ids) => ids.find((id) => id !== first.sid) as string)
  const ids = await walk(3, async (page) => {
    if (page !== 1) return
    await login(service, person)
    for (const id of [shown, coming]) await service.call(`${path}/${id}`, { method: 'DELETE', token: first.accessToken })
  })
  t.strictSame(ids, before.filter((id) => id !== coming))
})

const unlawful = ['limit=0', 'limit=201', 'limit=-1', 'limit=1e9', 'limit=1.5', 'limit=NaN', 'limit=', 'limit=1&limit=2', 'limit[]=1', 'limit[$gt]=1', 'offset=5', 'userId=x', 'cursor=', 'cursor=xyz', 'cursor[]=x', `cursor=${'A'.repeat(129)}`, '__proto__[limit]=1', 'constructor=x']

await t.test('I10 no query but a lawful one is taken', async (t) => {
  const { nextCursor } = (await ask('?limit=1')).json
  for (const query of [...unlawful, `cursor=${nextCursor}&cursor=${nextCursor}`, ...['0:short', `x:${first.sid}`, `99999999999999999999:${first.sid}`].map((inside) => `cursor=${Buffer.from(inside).toString('base64url')}`)]) {
    expectProblem(t, await ask(`?${query}`), 400, 'validation_failed', { what: query })
  }
})

await t.test('I10 nor by any other list', async (t) => {
  await service.post('/api/session/page', { pageId: '/a' }, { token: first.accessToken })
  for (const list of ['/api/session', '/api/session?scope=user', '/api/session/page', '/api/session/action', '/api/session/history']) {
    for (const query of unlawful) expectProblem(t, await service.get(`${list}${list.includes('?') ? '&' : '?'}${query}`, { token: first.accessToken }), 400, 'validation_failed', { what: `${list} ${query}` })
    t.equal((await service.get(list, { token: first.accessToken })).status, 200, list)
  }
})

await t.test('a cursor of somebody else\'s list shows nothing of theirs', async (t) => {
  const stranger = await register(service)
  const { sid } = await login(service, stranger.person)
  const { nextCursor } = (await service.get(`${path}?limit=1`, { token: stranger.accessToken })).json
  const shown = idsOf(await ask(`?cursor=${nextCursor}`))
  for (const id of [sid, stranger.sid]) t.notOk(shown.includes(id))
})

await t.test('an account that is gone has no list', async (t) => {
  const { accessToken: token, userId } = await register(service)
  await service.db.collection('users').deleteOne({ _id: userId as never })
  expectProblem(t, await service.get(path, { token }), 401, 'session_revoked')
})
