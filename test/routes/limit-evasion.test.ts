// Whoever has used up the guesses tries to be somebody else, or to ask at another door: by headers, by the way the address is
// written, by the way the name is written, by what HTTP allows besides (REQUIREMENTS B6, B7). Even the right password waits.
import t from 'tap'
import { realEngines } from '../helper/engines.ts'
import { emailMark } from '../helper/evidence.ts'
import type { Call } from '../helper/http.ts'
import { newPerson, register, type Person } from '../helper/people.ts'
import { startPair, startService, type Service } from '../helper/service.ts'
import { exchange } from '../plugins/raw-http.ts'

const limit = 3
const env = { LOGIN_LIMIT_PER_ACCOUNT: String(limit), LOGIN_LIMIT_PER_ADDRESS: '1000' }
const services: Service[] = realEngines ? await startPair(t, { env }) : [await startService(t, { env })]
const [service] = services as [Service]
const path = '/api/auth/login'

/** An account whose guesses are used up, over every instance in turn. */
async function exhausted (person: Person = newPerson(), name: 'email' | 'username' = 'email'): Promise<Person> {
  await register(service, person)
  for (let i = 0; i <= limit; i++) await (services[i % services.length] as Service).post(path, { [name]: person[name], password: 'wrong' })
  return person
}

/** Which of the calls were let in, or were at least tried. */
async function tried (calls: Record<string, [path: string, call: Call]>): Promise<string[]> {
  const letIn: string[] = []
  for (const [what, [at, call]] of Object.entries(calls)) {
    for (const one of services) {
      const { status } = await one.call(at, { method: 'POST', ...call })
      if (![400, 403, 404, 405, 414, 415, 429].includes(status)) letIn.push(`${what}: ${status}`)
    }
  }
  return letIn
}

await t.test('B7 no header makes another client of somebody', async (t) => {
  const { email, password } = await exhausted()
  const body = { email, password }
  const names = ['x-forwarded-for', 'x-real-ip', 'forwarded', 'client-ip', 'true-client-ip', 'cf-connecting-ip', 'x-client-ip', 'x-cluster-client-ip', 'fastly-client-ip', 'x-originating-ip', 'x-remote-addr', 'x-forwarded', 'forwarded-for', 'user-agent', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-prefix', 'x-original-url', 'x-rewrite-url', 'via', 'x-http-method-override', 'accept-language', 'x-request-id', 'origin-agent', 'x-access-token', 'cookie', 'connection']
  const values = ['198.51.100.7', '127.0.0.9', '::1', '2001:db8::7', 'for=198.51.100.7;proto=https', '/api/auth/other', 'unknown', '']
  const calls = Object.fromEntries(names.flatMap((name) => values.map((value, i) => [`${name}: ${value}`, [path, { body, headers: { [name]: name === 'connection' ? 'x-forwarded-for' : value === '' ? `${i}` : value } }] as [string, Call]])))
  t.strictSame(await tried({
    ...calls,
    'a list': [path, { body, headers: { 'x-forwarded-for': '198.51.100.1, 198.51.100.2' } }],
    twice: [path, { body, headers: { 'x-forwarded-for': ['198.51.100.1', '198.51.100.2'] } }],
    'all of them': [path, { body, headers: Object.fromEntries(names.filter((name) => name !== 'connection').map((name) => [name, '198.51.100.8'])) }]
  }), [])
})

await t.test('B7 no spelling of the address is another door', async (t) => {
  const { email, password } = await exhausted()
  const body = { email, password }
  const spellings = ['/login', `${path}?`, `${path}?x=1`, '/login?x=%2F', `${path}#x`, '/%6Cogin', '/api/auth/log%69n', '/%61pi/auth/login', '/api%2Fauth%2Flogin', '/api/./auth/login', '/api/x/../auth/login', '/api//auth/login', '//login', '/login/', '/LOGIN', '/API/auth/login', '/api/auth/login;x=1', '/api/auth/login%20', '/api/auth/login%00', '/api/auth/login.json', '/api/auth/login%2F', '/\\login', '/api/auth/ｌogin'.replace('ｌ', '%EF%BD%8C')]
  t.strictSame(await tried(Object.fromEntries(spellings.map((spelling) => [spelling, [spelling, { body }] as [string, Call]]))), [])
  const text = JSON.stringify(body)
  const head = (line: string): string => `${line}\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`
  for (const line of [`POST ${service.origin}${path} HTTP/1.1`, `POST http://other.example${path} HTTP/1.1`, `POST ${path} HTTP/1.0`, 'POST /login HTTP/1.0', `POST  ${path} HTTP/1.1`, `POST ${path}\tHTTP/1.1`]) {
    const { status } = await exchange(service, head(line))
    t.ok([400, 404, 429].includes(status), `${JSON.stringify(line.replace(service.origin, ''))}: ${status}`)
  }
})

await t.test('B7 no spelling of a name is another account with guesses of its own', async (t) => {
  const mail = newPerson()
  const { email, password } = await exhausted({ ...mail, email: `${mail.username}.é@Bücher.${emailMark}` })
  const emails = [email.toUpperCase(), email.toLowerCase(), ` ${email}`, `${email} `, `\t${email}\n`, email.replace('@', '＠'), email.replace('Bücher', 'xn--bcher-kva'), email.replace('Bücher', 'BÜCHER'), email.replace('Bücher', 'Bu\u0308cher'), email.replace('.', '．'), email.replace('é', 'e\u0301'), email.replace('é', 'É'), `${email}.`, email.replace('u-', 'ｕ-'), `\u200b${email}`, `${email}\u0000`, email.replace('@', '@\u00ad'), `<${email}>`, `"${email}"`]
  const letIn: string[] = []
  const enter = async (body: object, what: string): Promise<void> => {
    for (const one of services) if ((await one.post(path, body)).status === 200) letIn.push(what)
  }
  for (const spelling of [email, ...emails]) await enter({ email: spelling, password }, JSON.stringify(spelling))
  const named = await exhausted(newPerson(), 'username')
  for (const spelling of [named.username.toUpperCase(), ` ${named.username}`, `${named.username} `, named.username.replace('u-', 'ｕ-'), named.username.replace('u-', 'U-'), `${named.username}\u200b`, `${named.username}\u0000`]) await enter({ username: spelling, password: named.password }, JSON.stringify(spelling))
  t.strictSame(letIn, [])
})

await t.test('B7 no form of the body is counted elsewhere', async (t) => {
  const { email, password } = await exhausted()
  const json = { 'content-type': 'application/json' }
  const name = JSON.stringify(email)
  t.strictSame(await tried({
    'by cookie': [path, { body: { email, password, transport: 'cookie' } }],
    'the name twice': [path, { raw: `{"email":"${newPerson().email}","email":${name},"password":${JSON.stringify(password)}}`, headers: json }],
    'the name escaped': [path, { raw: `{"\\u0065mail":${name.replace('@', '\\u0040')},"password":${JSON.stringify(password)}}`, headers: json }],
    'a byte order mark in front': [path, { raw: `\ufeff${JSON.stringify({ email, password })}`, headers: json }],
    'another charset': [path, { raw: JSON.stringify({ email, password }), headers: { 'content-type': 'application/json; charset=utf-16' } }],
    chunks: [path, { raw: JSON.stringify({ email, password }), headers: { ...json, 'transfer-encoding': 'chunked', 'content-length': [] } }],
    'both names': [path, { body: { email, username: 'x-y', password } }]
  }), [])
})

await t.test('B6 of a hundred guesses at once by every header and spelling no more are tried', async (t) => {
  const { person } = await register(service)
  const answers = await Promise.all(Array.from({ length: 100 }, async (_, i) => await (services[i % services.length] as Service).call(['/login', path, `${path}?n=${i}`][i % 3] as string, {
    method: 'POST', body: { email: [person.email, person.email.toUpperCase(), ` ${person.email}`][i % 3], password: 'wrong' }, headers: { 'x-forwarded-for': `198.51.100.${i}`, 'user-agent': `client ${i}` }
  })))
  const count = answers.filter(({ status }) => status === 401).length
  t.ok(count >= limit && count <= (realEngines ? limit * 1.5 : limit), `${count} are tried`)
  t.equal(answers.filter(({ status }) => status === 429).length, 100 - count)
})
