// Ids and what is in cookies and tokens: random, so that nobody guesses another one's (REQUIREMENTS F8). Ten thousand of each
// kind show that no part is a counter, a time or always the same: each place has every letter, about as often.
import t, { type Test } from 'tap'
import type { Answer } from '../helper/http.ts'
import { cookiesOf, login, patiently, register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'

const service = await startService(t, { env: { LOGIN_LIMIT_PER_ADDRESS: '0', SESSIONS_PER_USER: '1000' } })

/** Answers to many requests, a hundred at a time. */
async function answersTo (count: number, ask: () => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = []
  while (answers.length < count) answers.push(...await Promise.all(Array.from({ length: Math.min(100, count - answers.length) }, () => patiently(ask))))
  return answers
}

/** 22 letters of base64url hold 128 bits; the last one has two of them, so it is left out where the letters are counted. */
function areRandom (t: Test, ids: readonly string[], what: string): void {
  t.equal(new Set(ids).size, ids.length, `${what}: no two are alike`)
  t.ok(ids.every((id) => /^[\w-]{22,}$/.test(id)), `${what}: 22 letters at least`)
  const expected = ids.length / 64
  const margin = 6 * Math.sqrt(expected)
  for (let place = 0; place < 21; place++) {
    const counts = new Map<string, number>()
    for (const id of ids) counts.set(id[place] as string, (counts.get(id[place] as string) ?? 0) + 1)
    if (ids.length >= 5000) t.equal(counts.size, 64, `${what}: every letter at place ${place}`)
    t.ok(Math.max(...counts.values()) < expected + margin + 2, `${what}: none more often than chance has it at place ${place}`)
  }
  const rising = ids.filter((id, i) => i > 0 && id > (ids[i - 1] as string)).length / (ids.length - 1)
  t.ok(Math.abs(rising - 0.5) < 3 / Math.sqrt(ids.length), `${what}: in no order, ${rising.toFixed(3)} rise`)
}

await t.test('F8 ten thousand visits and their cookies', async (t) => {
  const answers = await answersTo(10_000, () => service.post('/api/session'))
  t.equal(answers.filter(({ status }) => status === 201).length, 10_000)
  areRandom(t, answers.map(({ json }) => json.id), 'ids of visits')
  areRandom(t, answers.map((answer) => String(cookiesOf(answer)['visit']?.['value']).split('.')[2] as string), 'ids in cookies')
})

await t.test('F8 ten thousand tokens, and the sessions behind them', async (t) => {
  const { accessToken: token, person } = await register(service)
  const answers = await answersTo(10_000, () => service.post('/api/auth/refresh', undefined, { token }))
  areRandom(t, answers.map(({ json }) => JSON.parse(Buffer.from(json.accessToken.split('.')[1], 'base64url').toString()).jti), 'ids of tokens')
  const sids: string[] = []
  while (sids.length < 200) sids.push((await login(service, person)).sid)
  areRandom(t, sids, 'ids of sessions')
})
