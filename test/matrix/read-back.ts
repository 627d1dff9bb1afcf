// What the clients were told is held against what the service says once the fault is over (R-c): ended sessions are over,
// live ones live, one successor for each refresh token, and every acknowledged account, page and preference is there, once.
import { wholeList, visitorAt } from '../helper/visitors.ts'
import type { SessionRecord } from '../../src/session/session-rules.ts'
import { callerAt, type Cast, type Chooser, type Diary, type Member } from './cast.ts'
import type { Field, Instance } from './field.ts'

export async function readBack ({ instances, db }: Field, cast: Cast, fail: (what: string) => void): Promise<void> {
  const at = (turn: number): Instance => instances[turn % 2] as Instance
  const post = (turn: number, path: string, body: unknown) => at(turn).call(path, { method: 'POST', body })
  const expect = (what: string, got: unknown, wanted: unknown): void => { if (got !== wanted) fail(`${what}: ${String(got)} instead of ${String(wanted)}`) }

  async function checkDiary ({ member, acknowledged, maybe }: Diary): Promise<void> {
    const visitor = visitorAt(instances.map(callerAt), { token: member.accessToken })
    const pages = await wholeList(visitor, '/api/session/page', ({ json }) => (json.items as { pageId: string }[]).map(({ pageId }) => pageId))
    if (new Set(pages).size !== pages.length) fail('a page is there twice')
    const sure = new Set(acknowledged)
    expect('acknowledged pages in their order', pages.filter((page) => sure.has(page)).join() === acknowledged.join(), true)
    for (const page of pages) if (!sure.has(page) && !maybe.has(page)) fail(`a page that nobody wrote: ${page}`)
  }

  async function checkChoice ({ member, chosen, maybe }: Chooser): Promise<void> {
    for (const instance of instances) {
      const { status, json } = await instance.call('/api/preferences', { token: member.accessToken })
      expect('preferences', status, 200)
      if (chosen !== undefined && json?.language !== chosen && !maybe.has(json?.language)) fail(`preferences: ${json?.language} instead of ${chosen}`)
    }
  }

  async function checkRotation (member: Member): Promise<void> {
    const { status, json } = await post(0, '/api/auth/refresh', { refreshToken: member.refreshToken })
    expect('the latest refresh token', status, 200)
    if (status !== 200) return
    const { generation } = await db.collection<SessionRecord>('usersession').findOne({ _id: member.sid }) ?? {}
    expect('rotations by the truth', generation, Number((json.refreshToken as string).split('.')[2]))
    for (const instance of instances) expect('the access token of a refresh', (await instance.call('/api/protected', { token: json.accessToken })).status, 200)
  }

  for (const { accessToken: token } of cast.live) for (const instance of instances) expect('a live session', (await instance.call('/api/protected', { token })).status, 200)
  for (const [turn, { accessToken: token, refreshToken }] of cast.ended.entries()) {
    expect('an ended session', (await at(turn).call('/api/protected', { token })).status, 401)
    expect('the refresh token of an ended session', (await post(turn + 1, '/api/auth/refresh', { refreshToken })).status, 401)
  }
  for (const member of cast.refreshers) await checkRotation(member)
  for (const [turn, { email, password }] of cast.registered.entries()) expect('an account that was acknowledged', (await post(turn, '/api/auth/login', { email, password })).status, 200)
  for (const diary of cast.diaries) await checkDiary(diary)
  for (const chooser of cast.choosers) await checkChoice(chooser)
}
