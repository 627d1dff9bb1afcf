// Hostile bytes where a credential is expected (REQUIREMENTS C1, C11, D4, F3, I8): whatever comes in a header, a cookie or a
// body, it authenticates nobody unless it is an honest token to the last byte, revokes nothing, and is answered 4xx. The
// honest tokens are warm in every memory meanwhile, and good afterwards.
import fc from 'fast-check'
import t from 'tap'
import type { Answer } from '../helper/http.ts'
import { login, loginOf, newPerson, register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { visitorAt } from '../helper/visitors.ts'
import { faultsOfProblem } from '../plugins/expect-problem.ts'
import { exchange } from '../plugins/raw-http.ts'
import { expectNone, holds, promptly } from './fuzz-kit.ts'
import { anyBytes, isHonest, mutantOf, recipes } from './mutants.ts'

const service = await startService(t, { env: { LOGIN_LIMIT_PER_ADDRESS: '0', LOGIN_LIMIT_PER_ACCOUNT: '0' } })
const [ada, bob] = [await register(service), await register(service)]
const people = [ada, bob, { ...await login(service, ada.person), person: ada.person }]
const access = people.map(({ accessToken }) => accessToken)
const refresh = people.map(({ refreshToken }) => refreshToken)

/** Sends lines of headers as they are, a byte a character. */
const ask = async (method: string, path: string, ...headers: string[]): Promise<Answer> =>
  await promptly(exchange(service, Buffer.from([`${method} ${path} HTTP/1.1`, 'Host: x', ...headers, 'Connection: close', '', ''].join('\r\n'), 'latin1'), 5000))

/** What is wrong with an answer to what is no credential. */
function faultsOfRefusal (answer: Answer, codes: readonly string[]): string[] {
  if (answer.status < 400 || answer.status >= 500 || !codes.includes(answer.json?.code)) return [`${answer.status} ${answer.text.slice(0, 300)}`]
  return faultsOfProblem(answer)
}

const broken = ['validation_failed', 'headers_too_large'] // bytes that no header may hold, or too many
const places = fc.constantFrom('Authorization: Bearer ', 'Authorization: bearer ', 'Authorization: BEARER  ', 'X-Access-Token: ', 'Cookie: accessToken=', 'Cookie: a=b; accessToken=', 'Cookie: accessToken="')

await t.test('an access token that is not honest to the last byte lets nobody in', async (t) => {
  await holds(t, 150, fc.tuple(recipes, places), async ([recipe, place]) => {
    const text = mutantOf(access, recipe)
    fc.pre(!isHonest(access, text))
    for (const path of ['/api/protected', '/api/auth/profile']) expectNone(faultsOfRefusal(await ask('GET', path, place + text), ['token_invalid', 'token_missing', ...broken]))
    if (!place.startsWith('Cookie')) expectNone(faultsOfRefusal(await ask('GET', '/api/preferences', place + text), ['token_invalid', ...broken])) // never taken for a guest
  })
  for (const { accessToken, userId } of people) t.equal((await service.get('/api/protected', { token: accessToken })).json.user.id, userId)
})

await t.test('bytes of any kind where a token is expected let nobody in', async (t) => {
  const header = fc.constantFrom('Authorization: ', 'Authorization: Bearer ', 'X-Access-Token: ', 'Cookie: ', 'Cookie: accessToken=', 'X-Access-Token: ')
  await holds(t, 150, fc.array(fc.tuple(header, anyBytes), { minLength: 1, maxLength: 3 }), async (lines) => {
    expectNone(faultsOfRefusal(await ask('GET', '/api/protected', ...lines.map(([name, bytes]) => name + bytes)), ['token_invalid', 'token_missing', ...broken]))
  })
})

await t.test('a good token beside bytes of any kind is worth what it is worth alone, or the request is refused', async (t) => {
  const beside = fc.constantFrom('Cookie: ', 'Cookie: accessToken=', 'Cookie: visit=', 'X-Request-Id: ', 'X-Other: ', 'X-Access-Token: ')
  await holds(t, 100, fc.tuple(beside, anyBytes, fc.nat(2)), async ([name, bytes, who]) => {
    const answer = await ask('GET', '/api/protected', `Authorization: Bearer ${access[who] as string}`, name + bytes)
    expectNone(answer.status === 200 ? (answer.json.user.id === people[who]?.userId ? [] : ['it is somebody else']) : faultsOfRefusal(answer, broken))
  })
})

await t.test('a refresh token that is not honest to the last byte refreshes nothing and ends nothing', async (t) => {
  await holds(t, 150, fc.tuple(recipes, fc.constantFrom('body', 'cookie'), fc.constantFrom('refresh', 'logout', 'logout-all')), async ([recipe, place, door]) => {
    const text = mutantOf(recipe.one % 2 === 0 ? refresh : [...refresh, ...access], recipe)
    fc.pre(!isHonest([...refresh, ...access], text))
    const path = `/api/auth/${door}`
    const answer = place === 'body' ? await promptly(service.post(path, { refreshToken: text })) : await ask('POST', path, `Cookie: refreshToken=${text}`)
    if (door === 'logout' && answer.status === 200) return expectNone(answer.json.revoked === 0 ? [] : ['it ended a session'])
    expectNone(faultsOfRefusal(answer, ['refresh_token_invalid', 'refresh_token_missing', 'token_missing', ...broken]))
  })
  for (const { accessToken, userId } of people) t.equal((await service.get('/api/auth/profile', { token: accessToken })).json.id, userId)
  for (const { refreshToken, userId } of people) {
    const answer = await service.post('/api/auth/refresh', { refreshToken })
    t.equal(answer.status, 200, 'the honest ones were neither used nor ended')
    t.equal(loginOf(answer).userId, userId)
  }
})

await t.test('a cookie of a visitor that is not honest to the last byte is none', async (t) => {
  const guests = [visitorAt(service), visitorAt(service)]
  for (const guest of guests) {
    await guest.page('/mine')
    await guest.call('POST', '/api/preferences', { theme: 'dark', language: 'fr', notifications: false })
  }
  const honest = guests.flatMap(({ jar }) => [jar.get('visit') as string, jar.get('preferences') as string])
  const visits = honest.filter((_text, at) => at % 2 === 0)
  const preferences = honest.filter((_text, at) => at % 2 === 1)
  const defaults = (await service.get('/api/preferences')).text
  const texts = fc.oneof(recipes.map((recipe) => mutantOf(honest, recipe)), anyBytes)
  await holds(t, 80, fc.tuple(texts, fc.constantFrom('', '"', ' ', 'a=b; ')), async ([text, before]) => {
    const cookie = (name: string): string => before.endsWith('; ') ? `Cookie: ${before}${name}=${text}` : `Cookie: ${name}=${before}${text}`
    if (!isHonest(preferences, text)) {
      const seen = await ask('GET', '/api/preferences', cookie('preferences'))
      expectNone(seen.status === 200 ? (seen.text === defaults ? [] : [`they are somebody's: ${seen.text}`]) : faultsOfRefusal(seen, ['token_invalid', ...broken]))
    }
    if (isHonest(visits, text)) return
    for (const path of ['/api/session', '/api/session/page']) expectNone(faultsOfRefusal(await ask('GET', path, cookie('visit')), ['visit_not_found', 'token_invalid', ...broken]))
    const ended = await ask('DELETE', '/api/session', cookie('visit'))
    expectNone(faultsOfRefusal(ended, ['visit_not_found', 'token_invalid', ...broken]))
  })
  for (const guest of guests) t.strictSame((await guest.show()).json.pagesVisited, ['/mine'])
})

await t.test('the service is well afterwards', async (t) => {
  t.equal((await service.get('/livez')).status, 200)
  t.equal((await register(service, newPerson())).answer.status, 201)
  t.strictSame(service.logs.filter(({ level }) => Number(level) >= 50), [], 'no error was logged')
})
