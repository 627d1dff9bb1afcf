// The closed list of failures: what each becomes on the wire, and which errors of a store mean "not now".
import * as driver from 'mongodb'
import t from 'tap'
import {
  errorCodes, errorList, headersOf, isDuplicateKey, isStoreFault, LatchkeyError, problemOf, unavailable, type ErrorCode
} from '../../src/errors.ts'

const where = { base: 'https://api.example/base', instance: '/api/auth/login', requestId: 'req-7' }

await t.test('every code has a status, a title, a text for the reply and advice for the client', async (t) => {
  t.equal(errorCodes.length, 30, 'the list is closed: a new code is a change of the contract')
  for (const code of errorCodes) {
    const { status, title, detail, advice } = errorList[code]
    t.match(code, /^[a-z]+(_[a-z]+)*$/)
    t.ok(Number.isInteger(status) && status >= 400 && status <= 503, `${code} has a status of failure`)
    for (const text of [title, detail, advice]) t.ok(text.length > 0, `${code} leaves no text out`)
    t.ok(detail.endsWith('.') && advice.endsWith('.'), `${code} speaks in sentences`)
  }
})

await t.test('the list and its entries cannot be changed', async (t) => {
  t.ok(Object.isFrozen(errorList))
  for (const code of errorCodes) t.ok(Object.isFrozen(errorList[code]), code)
})

await t.test('the statuses are those of the wire contract', async (t) => {
  const byStatus: Record<number, ErrorCode[]> = {
    400: ['validation_failed', 'password_too_short', 'password_too_long', 'password_common'],
    401: [
      'invalid_credentials', 'token_missing', 'token_expired', 'token_invalid', 'session_revoked',
      'refresh_token_missing', 'refresh_token_expired', 'refresh_token_invalid', 'refresh_token_reused'
    ],
    403: ['csrf_rejected', 'current_password_invalid', 'forbidden'],
    404: ['not_found', 'visit_not_found'],
    405: ['method_not_allowed'],
    408: ['request_timeout'],
    409: ['email_taken', 'username_taken', 'visit_full'],
    413: ['payload_too_large'],
    414: ['uri_too_long'],
    415: ['unsupported_media_type'],
    429: ['rate_limited'],
    431: ['headers_too_large'],
    500: ['internal_error'],
    503: ['unavailable']
  }
  for (const [status, codes] of Object.entries(byStatus)) {
    t.strictSame(errorCodes.filter((code) => errorList[code].status === Number(status)), codes, status)
  }
})

await t.test('a failure is a problem document that also parses as Fastify\'s own error', async (t) => {
  for (const code of errorCodes) {
    const { status, title, detail } = errorList[code]
    const problem = problemOf(new LatchkeyError(code), where)
    const { error, ...rest } = problem
    t.type(error, 'string', code)
    t.ok(error.length > 0, `${code} has a reason phrase`)
    t.strictSame(rest, {
      type: `https://api.example/base/problems/${code}`,
      title,
      status,
      detail,
      instance: '/api/auth/login',
      code,
      requestId: 'req-7',
      statusCode: status,
      message: detail
    }, code)
  }
  t.equal(problemOf(new LatchkeyError('unavailable'), where).error, 'Service Unavailable')
})

await t.test('a thrower may say more: a text of its own, fields, further members', async (t) => {
  const errors = [{ path: '/body/email', message: 'must be an e-mail address' }]
  const problem = problemOf(new LatchkeyError('validation_failed', { detail: 'Two things.', errors, members: { redis: 'disconnected' } }), where)
  t.match(problem, { detail: 'Two things.', message: 'Two things.', errors, redis: 'disconnected', title: 'Invalid input' })
  t.notOk('errors' in problemOf(new LatchkeyError('validation_failed'), where), 'no member without a meaning')
})

await t.test('the cause is for the log: no part of it is in the problem', async (t) => {
  const cause = new Error('mongodb://ada:secret-in-cause@db')
  const error = unavailable(cause)
  t.equal(error.cause, cause)
  t.notMatch(JSON.stringify(problemOf(error, where)), /secret-in-cause/)
  t.notMatch(JSON.stringify(headersOf(error)), /secret-in-cause/)
  t.notOk('cause' in new LatchkeyError('internal_error'), 'none where none was given')
})

await t.test('every 401 challenges, and says invalid_token only where a token was sent', async (t) => {
  const withoutToken: ErrorCode[] = ['token_missing', 'refresh_token_missing', 'invalid_credentials']
  for (const code of errorCodes) {
    const challenge = headersOf(new LatchkeyError(code))['www-authenticate']
    if (errorList[code].status !== 401) t.equal(challenge, undefined, code)
    else if (withoutToken.includes(code)) t.equal(challenge, 'Bearer realm="latchkey"', code)
    else t.equal(challenge, 'Bearer realm="latchkey", error="invalid_token"', code)
  }
})

await t.test('a 405 names the methods, a 429 and a 503 the seconds', async (t) => {
  t.strictSame(headersOf(new LatchkeyError('method_not_allowed', { allow: ['GET', 'HEAD'] })), { allow: 'GET, HEAD' })
  t.strictSame(headersOf(new LatchkeyError('rate_limited', { retryAfterSeconds: 0 })), { 'retry-after': '0' })
  t.strictSame(headersOf(unavailable()), { 'retry-after': '1' })
  t.strictSame(headersOf(unavailable(undefined, 7)), { 'retry-after': '7' })
  t.match(unavailable(), { code: 'unavailable', statusCode: 503 })
})

const server = (code: number, more: object = {}) => new driver.MongoServerError({ message: 'no', code, ...more })

await t.test('a store that is away, slow, full or between two leaders is a fault of the store', async (t) => {
  const unreachable = [
    new driver.MongoNetworkError('connection closed'),
    new driver.MongoNetworkTimeoutError('timed out'),
    await new driver.MongoClient('mongodb://127.0.0.1:1', { serverSelectionTimeoutMS: 50 }).connect().catch((error: unknown) => error as Error) as Error,
    new driver.MongoOperationTimeoutError('timed out'),
    new driver.MongoTopologyClosedError(),
    new driver.MongoNotConnectedError('closed'),
    new driver.MongoClientClosedError(),
    new driver.MongoWriteConcernError({ writeConcernError: { code: 64, errmsg: 'timed out' }, ok: 1 })
  ]
  t.equal(unreachable[2]?.name, 'MongoServerSelectionError', 'a server that is not there')
  for (const error of unreachable) t.ok(isStoreFault(error), error.name)
  const notNow = {
    6: 'HostUnreachable',
    7: 'HostNotFound',
    50: 'MaxTimeMSExpired',
    64: 'WriteConcernTimeout',
    89: 'NetworkTimeout',
    91: 'ShutdownInProgress',
    100: 'UnsatisfiableWriteConcern',
    189: 'PrimarySteppedDown',
    262: 'ExceededTimeLimit',
    9001: 'SocketException',
    10107: 'NotWritablePrimary',
    11600: 'InterruptedAtShutdown',
    11602: 'InterruptedDueToReplStateChange',
    13435: 'NotPrimaryNoSecondaryOk',
    13436: 'NotPrimaryOrSecondary',
    14031: 'OutOfDiskSpace'
  }
  for (const [code, name] of Object.entries(notNow)) t.ok(isStoreFault(server(Number(code))), name)
  t.ok(isStoreFault(server(1, { errorLabels: ['RetryableWriteError'] })), 'the server says itself that it may be tried again')
  t.ok(isStoreFault(server(1, { errorLabels: ['SystemOverloadedError'] })))
})

await t.test('a socket that fails under the driver is a fault of the store, though the driver lets it through as it is', async (t) => {
  const ended = Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' })
  t.ok(isStoreFault(ended))
  const cleared = Object.assign(new Error('interrupted due to server monitor timeout'), { errorLabelSet: new Set() })
  cleared.name = 'PoolClearedOnNetworkError' // seen from a server that hangs; the driver does not export its class
  t.ok(isStoreFault(cleared))
  t.notOk(isStoreFault(Object.assign(new Error('no such file'), { code: 'ENOENT' })))
})

await t.test('whatever the driver wraps into a bulk write that the server knows nothing of is a fault of the store', async (t) => {
  t.ok(isStoreFault(new driver.MongoBulkWriteError({ message: 'Timed out while checking out a connection', writeErrors: [] } as never, {} as driver.BulkWriteResult)))
})

await t.test('a shard without a leader, as a router tells it, is a fault of the store', async (t) => {
  t.ok(isStoreFault(server(133)), 'FailedToSatisfyReadPreference')
})

await t.test('what the service asked wrongly is no fault of the store, whatever the driver calls it', async (t) => {
  for (const code of [2, 9, 14, 28, 59, 66, 121]) t.notOk(isStoreFault(server(code)), `server's code ${code}`)
  for (const error of [new TypeError('x is undefined'), new RangeError(), new LatchkeyError('not_found'), 'text', null, undefined, { name: 'MongoNetworkError' }]) {
    t.notOk(isStoreFault(error), String(error))
  }
})

await t.test('an argument that the driver refuses is a mistake of the service, not a fault of the store', async (t) => {
  t.notOk(isStoreFault(new driver.MongoInvalidArgumentError('no')), 'MongoInvalidArgumentError')
  t.notOk(isStoreFault(new driver.MongoBulkWriteError({ message: 'no', code: 121, writeErrors: [] }, {} as driver.BulkWriteResult)), 'a bulk write that the server refuses')
})

await t.test('a unique index that says no is no fault: somebody was first', async (t) => {
  const taken = server(11000)
  t.ok(isDuplicateKey(taken))
  t.notOk(isStoreFault(taken))
  t.notOk(isStoreFault(server(11000, { errorLabels: ['RetryableWriteError'] })))
  t.notOk(isDuplicateKey(server(11600)))
  for (const nothing of [null, undefined, 'text']) t.notOk(isDuplicateKey(nothing))
})
