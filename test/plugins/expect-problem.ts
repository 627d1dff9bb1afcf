// What every failure owes its client (REQUIREMENTS J1 and J2): one shape, the headers of its status, nothing of what is
// inside. Used wherever a test of a door or a socket expects a refusal; what is wrong is told in words, all at once.
import { STATUS_CODES } from 'node:http'
import type { Test } from 'tap'
import type { ErrorCode } from '../../src/errors.ts'
import type { Answer } from '../helper/http.ts'

export interface Expected {
  /** Path under which the service is mounted. */
  base?: string
  /** What the request was, for the name of the assertion. */
  what?: string
}

export function expectProblem (t: Test, answer: Answer, status: number, code: ErrorCode, { base = '', what = '' }: Expected = {}): void {
  const seen = [answer.status, answer.json?.code]
  const faults = [...(seen[0] === status && seen[1] === code ? [] : [`is ${seen.join(' ')}`]), ...faultsOfProblem(answer, base)]
  t.strictSame(faults, [], `${what === '' ? '' : `${what}: `}${status} ${code}`)
}

/** Words that only the inside of the service knows: files, libraries, their codes, collections. */
const inside = /node_modules|\.[tj]s:\d|\bat \S+ \(|mongo|redis|usersession|passwordHash|fastify|\bajv\b|bcrypt|FST_|ERR_|HPE_|FAST_JWT|Error:/i

/** Codes of a 401 that was sent no token: RFC 6750 section 3.1 has no error code for them. */
const withoutToken = ['token_missing', 'refresh_token_missing', 'invalid_credentials']

/** @returns what is wrong with a failure, whichever it is */
export function faultsOfProblem ({ status, headers, json, text }: Answer, base = ''): string[] {
  const faults: string[] = []
  const expect = (holds: boolean, fault: string): void => { if (!holds) faults.push(fault) }
  expect(headers['content-type'] === 'application/problem+json; charset=utf-8', `content-type: ${String(headers['content-type'])}`)
  expect(json?.status === status && json?.statusCode === status && json?.error === STATUS_CODES[status], 'its body has another status')
  expect(json?.type === `${base}/problems/${String(json?.code)}`, `type: ${String(json?.type)}`)
  for (const member of ['title', 'detail', 'code']) expect(/\w/.test(json?.[member] ?? ''), `${member}: ${String(json?.[member])}`)
  expect(json?.message === json?.detail, 'its message is not its detail')
  expect(/^\//.test(json?.instance ?? ''), `instance: ${String(json?.instance)}`)
  expect(/^[A-Za-z0-9._:-]{1,128}$/.test(json?.requestId ?? ''), `requestId: ${String(json?.requestId)}`)
  const told = `${JSON.stringify({ ...headers, 'server-timing': undefined })} ${text}` // that header names the tier on purpose
  expect(!inside.test(told), `tells of the inside: ${inside.exec(told)?.[0]}`)
  for (const header of ['set-cookie', 'server', 'x-powered-by']) expect(headers[header] === undefined, `${header}: ${String(headers[header])}`)

  const challenge = `Bearer realm="latchkey"${withoutToken.includes(json?.code) ? '' : ', error="invalid_token"'}`
  expect(headers['www-authenticate'] === (status === 401 ? challenge : undefined), `www-authenticate: ${String(headers['www-authenticate'])}`)
  expect((headers['allow'] !== undefined) === (status === 405), `allow: ${String(headers['allow'])}`)
  expect(/^[1-9]\d*$/.test(headers['retry-after'] ?? '') === [429, 503].includes(status), `retry-after: ${String(headers['retry-after'])}`)
  return faults
}
