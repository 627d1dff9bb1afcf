// Bytes on a connection (REQUIREMENTS I5, I6, I8): where a request ends is never open to doubt. What is hidden in a body is
// never answered, what is no request is refused and ends the connection, and however the bytes are cut the answers are the
// same. Nothing here makes the process fall, or hang.
import fc from 'fast-check'
import t from 'tap'
import { register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { faultsOfProblem } from '../plugins/expect-problem.ts'
import { answerOf, dial, type RawAnswer } from '../plugins/raw-http.ts'
import { expectNone, holds, promptMs } from './fuzz-kit.ts'

const service = await startService(t)
const { accessToken } = await register(service)
const hidden = 'GET /api/smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
const ending = 'Connection: close\r\n'

/** Sends pieces, each in a packet of its own, and reads until the connection ends; says that it is done once nothing more comes. */
async function sent (...pieces: string[]): Promise<RawAnswer> {
  const socket = dial(service).setNoDelay(true)
  let quiet = setTimeout(() => { socket.end() }, 500)
  socket.on('data', () => { quiet = clearAndWait(quiet, () => { socket.end() }) })
  const answer = answerOf(socket, promptMs)
  for (const piece of pieces) {
    socket.write(Buffer.from(piece, 'latin1'))
    if (pieces.length > 1) await new Promise((resolve) => { setImmediate(resolve) })
  }
  quiet = clearAndWait(quiet, () => { socket.end() })
  return await answer.finally(() => { clearTimeout(quiet) })
}

/** Milliseconds without a byte after which a client has nothing more to say. */
const quietMs = 60

function clearAndWait (timer: NodeJS.Timeout, then: () => void): NodeJS.Timeout {
  clearTimeout(timer)
  return setTimeout(then, quietMs)
}

const statusesOf = ({ all }: RawAnswer): number[] => [...all.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
/** @param isLate whether the request may have its answer before the doubt is found; it gets no other */
const faultsOfRefusal = (answer: RawAnswer, isLate = false): string[] => [
  ...(answer.closed ? [] : ['the connection hangs']),
  ...(answer.all.includes('smuggled') ? [`what is hidden was answered: ${answer.all.slice(0, 500)}`] : []),
  ...(statusesOf(answer).length === 1 && (answer.status === 400 || (isLate && answer.status < 500)) ? (answer.status < 400 ? [] : faultsOfProblem(answer)) : [`answers: ${statusesOf(answer).join(', ')}`])
]

const mixed = (text: string): fc.Arbitrary<string> => fc.mixedCase(fc.constant(text))
const harmless = fc.constantFrom('Accept: */*', 'User-Agent: x', 'X-A: b', 'X-Empty:', 'Cookie: a=b; c=d', 'X-Request-Id: 1', '__proto__: x', 'Content-Type: application/json', 'Accept-Encoding: gzip', 'TE: trailers', 'Trailer: X-B', 'Keep-Alive: timeout=5')
const anyValue = fc.string({ unit: fc.integer({ min: 0x21, max: 0xff }).filter((code) => code !== 0x7f).map((code) => String.fromCharCode(code)), maxLength: 20 })

/** Lines among which two readers could disagree on where the request ends, or where its headers do. */
const poison: fc.Arbitrary<readonly string[]> = fc.oneof(
  fc.tuple(mixed('Content-Length'), mixed('Transfer-Encoding'), mixed('chunked'), fc.nat(60)).map(([length, coding, chunked, bytes]) => [`${length}: ${bytes}`, `${coding}: ${chunked}`]),
  fc.tuple(mixed('Content-Length'), fc.nat(60), fc.nat(60)).map(([name, one, other]) => [`${name}: ${one}`, `Content-Length: ${other}`]),
  fc.tuple(mixed('Content-Length'), fc.constantFrom('+2', '-2', '0x2', '2,2', '2, 3', '2 2', '2;', '1e1', '2.0', '\xb2', '"2"', 'two', '18446744073709551618', '99999999999999999999999999')).map(([name, value]) => [`${name}: ${value}`]),
  fc.tuple(mixed('Transfer-Encoding'), fc.constantFrom('xchunked', 'chunkedx', 'chunked, identity', 'chunked, gzip', 'identity', 'chunk', '"chunked"', 'chunked;x', '\x0bchunked', 'chunked\xa0', 'cow')).map(([name, value]) => [`${name}: ${value}`]),
  fc.tuple(fc.constantFrom('Content-Length', 'Transfer-Encoding'), fc.constantFrom(' ', '\t', '\0', '\x0b', '\xa0', '"', '(')).map(([name, odd]) => [`${name}${odd}: ${name.startsWith('T') ? 'chunked' : hidden.length}`]),
  fc.tuple(fc.constantFrom(' ', '\t', '  '), anyValue).map(([fold, value]) => ['X-Folded: a', `${fold}${value}`]),
  fc.constantFrom([': x'], ['no colon'], ['X-N: a\0b'], ['X A: b'], ['X-\xe9: b'], ['X-R: a\rb'], ['X-R: a\rTransfer-Encoding: chunked'], ['X-L: a\nTransfer-Encoding: chunked'], ['\0: x'], ['(: x'])
)

await t.test('a request whose end is open to doubt is refused, wherever the doubt stands, and nothing behind it is a request', async (t) => {
  const lines = fc.tuple(fc.array(harmless, { maxLength: 5 }), poison, fc.nat(10), fc.boolean())
  await holds(t, 60, fc.tuple(lines, fc.constantFrom('', '0\r\n\r\n', '{}', '2\r\n{}\r\n0\r\n\r\n', '\r\n'), fc.constantFrom('POST /api/auth/logout', 'GET /livez', 'DELETE /api/session', 'POST /nothing')), async ([[more, bad, at, isFirst], body, begin]) => {
    const place = at % (more.length + 1)
    const split = isFirst ? [bad, []] : [bad.slice(0, 1), bad.slice(1)] // together, or with others between them
    const isFold = /^[ \t]/.test(bad[1] ?? '')
    const all = isFold ? [...more.slice(0, place), ...bad, ...more.slice(place)] : [...more.slice(0, place), ...split[0] as string[], ...more.slice(place), ...split[1] as string[]]
    const isLate = bad.length === 1 && /^transfer-encoding:/i.test(bad[0] as string)
    expectNone(faultsOfRefusal(await sent(`${begin} HTTP/1.1\r\nHost: x\r\n${all.map((line) => `${line}\r\n`).join('')}\r\n${body}${hidden}`), isLate))
  })
})

const chunk = (text: string, head = text.length.toString(16)): string => `${head}\r\n${text}\r\n`

await t.test('what a body hides is a body, in one piece and in chunks of any size', async (t) => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })
  const form = fc.constantFrom((hex: string) => hex, (hex: string) => hex.toUpperCase(), (hex: string) => `000${hex}`, (hex: string) => `${hex};name=value`, (hex: string) => `${hex};a="b c"`)
  await holds(t, 40, fc.tuple(fc.constantFrom('application/json', 'text/plain'), fc.boolean(), sizes, form, fc.array(fc.nat(400), { maxLength: 4 }), fc.constantFrom('', 'X-Trailer: x\r\n', 'Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', 'Host: evil\r\n')), async ([type, isChunked, lengths, write, cuts, trailer]) => {
    const body = `${hidden}${hidden}`
    let rest = body
    const chunks = [...lengths, body.length].flatMap((length) => {
      const part = rest.slice(0, length)
      rest = rest.slice(length)
      return part === '' ? [] : [chunk(part, write(part.length.toString(16)))]
    })
    const whole = isChunked
      ? `Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n${trailer}\r\n`
      : `Content-Length: ${body.length}\r\n\r\n${body}`
    const text = `POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\n${whole}GET /livez HTTP/1.1\r\nHost: x\r\n${ending}\r\n`
    const answer = await sent(...cutAt(text, cuts))
    expectNone([...(answer.all.includes('smuggled') ? ['what is hidden was answered'] : []), ...(answer.closed ? [] : ['it hangs'])])
    const expected = type === 'text/plain' ? '415,200' : '400' // Fastify ends the connection after a body that is no JSON
    expectNone(statusesOf(answer).join() === expected || (isChunked && trailer !== '' && statusesOf(answer).join() === expected.slice(0, 3)) ? [] : [`answers: ${statusesOf(answer).join()}`])
  })
})

/** The pieces of a text that is cut at these places. */
function cutAt (text: string, cuts: readonly number[]): string[] {
  const places = [0, ...[...new Set(cuts.map((cut) => cut % text.length))].sort((one, other) => one - other), text.length]
  return places.slice(1).map((place, at) => text.slice(places[at], place)).filter((piece) => piece !== '')
}

await t.test('a chunk whose size is none ends the connection, and nothing behind it is a request', async (t) => {
  const size = fc.oneof(fc.constantFrom('', '-1', '+2', '0x2', ' 2', '2 2', 'g', '2,', '10000000000000002', 'fffffffffffffffff', '2\n', '2\r', '2\0', '\xb2', '2;\0', '2;a\nb'), anyValue.filter((text) => !/^[0-9a-f]+(;.*)?$/i.test(text)))
  await holds(t, 40, fc.tuple(size, fc.nat(2)), async ([bad, before]) => {
    const good = chunk('{}').repeat(before)
    expectNone(faultsOfRefusal(await sent(`POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${good}${bad}\r\n{}\r\n0\r\n\r\n${hidden}`)))
  })
})

/** Requests with the one answer that each gets. */
const known: Record<string, number> = {
  'GET /livez HTTP/1.1\r\nHost: x\r\n': 200,
  [`GET /api/protected HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${accessToken}\r\n`]: 200,
  'GET /api/protected HTTP/1.1\r\nHost: x\r\n': 401,
  'GET /nothing HTTP/1.1\r\nHost: x\r\n': 404,
  'PATCH /livez HTTP/1.1\r\nHost: x\r\n': 405,
  'POST /api/preferences HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"theme":"dark"}': 200,
  [`POST /api/preferences HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('{"theme"')}${chunk(':"no"}')}0\r\n\r\n`]: 400,
  'POST /api/preferences HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi': 415
}
const whole = Object.keys(known).map((text) => text.includes('\r\n\r\n') ? text : `${text}\r\n`)
const requests = fc.array(fc.nat(whole.length - 1), { minLength: 1, maxLength: 6 })
const last = `GET /livez HTTP/1.1\r\nHost: x\r\n${ending}\r\n`

await t.test('requests in one breath get their own answers in order, wherever the bytes are cut', async (t) => {
  await holds(t, 40, fc.tuple(requests, fc.array(fc.nat(3000), { maxLength: 6 })), async ([chosen, cuts]) => {
    const answer = await sent(...cutAt(chosen.map((at) => whole[at]).join('') + last, cuts))
    const expected = [...chosen.map((at) => Object.values(known)[at]), 200].join()
    expectNone(statusesOf(answer).join() === expected && answer.closed ? [] : [`${statusesOf(answer).join()} instead of ${expected}`])
  })
})

await t.test('garbage behind good requests takes nobody\'s answer', async (t) => {
  const garbage = fc.oneof(fc.constantFrom('GARBAGE\r\n\r\n', 'GET\r\n\r\n', '\0\0\0\0', 'GET /livez HTTP/1.1\nHost: x\n\n', 'GET /livez HTTP/0.9\r\n\r\n', `${'\r\n'.repeat(50)}x\r\n\r\n`), fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1')))
  await holds(t, 40, fc.tuple(requests, garbage), async ([chosen, bad]) => {
    const answer = await sent(`${chosen.map((at) => whole[at]).join('')}${bad}`)
    const expected = chosen.map((at) => Object.values(known)[at])
    const seen = statusesOf(answer)
    const own = seen.slice(0, expected.length)
    expectNone(answer.closed && own.every((status, at) => status === expected[at] || (at === own.length - 1 && status === 400)) && seen.slice(expected.length).every((status) => status >= 400 && status < 500) && seen.length <= expected.length + 1 ? [] : [`${seen.join()} instead of ${expected.join()}`])
  })
})

await t.test('good requests with bytes changed in them are answered below 500, and the connection ends', async (t) => {
  const edit = fc.tuple(fc.nat(3000), fc.constantFrom('put', 'change', 'cut'), fc.nat(255))
  await holds(t, 60, fc.tuple(requests, fc.array(edit, { minLength: 1, maxLength: 6 })), async ([chosen, edits]) => {
    const text = edits.reduce((made, [at, kind, code]) => {
      const place = at % made.length
      return made.slice(0, place) + (kind === 'cut' ? '' : String.fromCharCode(code)) + made.slice(kind === 'put' ? place : place + 1)
    }, chosen.map((at) => whole[at]).join(''))
    const answer = await sent(text)
    const mostAnswers = text.split(/HTTP\/1\.[01]/).length // and one for what is no request
    expectNone([...(answer.closed ? [] : ['it hangs']), ...statusesOf(answer).filter((status) => status >= 500).map(String), ...(statusesOf(answer).length > mostAnswers ? ['too many answers'] : [])])
  })
})

await t.test('headers in any number and of any size are read, refused or left', async (t) => {
  await holds(t, 30, fc.tuple(fc.nat(4000), fc.nat(60), fc.constantFrom('x', 'X-Same', '__proto__', 'Cookie', 'Authorization', 'Host')), async ([count, length, name]) => {
    const answer = await sent(`GET /livez HTTP/1.1\r\nHost: x\r\n${`${name}: ${'v'.repeat(length)}\r\n`.repeat(count)}${ending}\r\n`)
    expectNone([...(answer.closed ? [] : ['it hangs']), ...([200, 400, 431].includes(answer.status) ? [] : [`${answer.status} ${answer.text}`])])
  })
})

await t.test('the service is well afterwards', async (t) => {
  t.equal((await service.get('/livez')).status, 200)
  t.equal((await service.get('/api/protected', { token: accessToken })).status, 200)
  t.strictSame(service.logs.filter(({ level }) => Number(level) >= 50), [], 'no error was logged')
})
