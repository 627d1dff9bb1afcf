// The service on its own: a Fastify instance with the limits that belong to the server and not to a scope, and the
// package mounted at its root. What fails before a route is found (bad HTTP, bad URL) is answered in the same shape.
import Fastify, { LogController, type FastifyHttpOptions, type FastifyInstance, type FastifyReply, type RawServerDefault } from 'fastify'
import { randomBytes as systemRandomBytes } from 'node:crypto'
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { hostname } from 'node:os'
import type { Config } from './config/config.ts'
import { LatchkeyError, problemOf, type ErrorCode } from './errors.ts'
import latchkey, { type LatchkeyOptions } from './index.ts'
import { createLogStream } from './log-stream.ts'

export interface StandaloneOptions extends Pick<LatchkeyOptions, 'clock' | 'randomBytes' | 'mongoClient' | 'redisClient' | 'worker'> {
  /** Where log lines go; standard output by default. */
  logStream?: { write: (line: string) => void }
}

/** Milliseconds in which a whole request must have arrived. */
const requestTimeoutMs = 10_000

/** Milliseconds that an idle connection is kept, above the usual minute of load balancers. */
const keepAliveMs = 65_000

/** Milliseconds without a byte in either direction after which a client that does not read its answer is given up; Node may take twice that. */
const stalledMs = 15_000

/** An app that is ready to listen; nothing has been connected to yet. */
export function createStandalone (config: Config, { logStream, ...brought }: StandaloneOptions = {}): FastifyInstance {
  const boot = (brought.randomBytes ?? systemRandomBytes)(3).toString('hex')
  let requests = 0
  const nextId = (): string => `${boot}-${(++requests).toString(36)}`

  const bare = bareHeaders(config)

  const options: FastifyHttpOptions<RawServerDefault> = {
    logger: {
      level: config.logLevel,
      ...(brought.worker && { base: { pid: process.pid, hostname: hostname(), worker: brought.worker.number } }),
      serializers: { req: ({ id, method, url, ip }) => ({ id, method, path: (url ?? '').split('?', 1)[0], ip }) },
      stream: logStream ?? createLogStream()
    },
    logController: new LogController({ disableRequestLogging: !['debug', 'trace'].includes(config.logLevel) }),
    trustProxy: config.trustProxy === false ? false : [...config.trustProxy],
    requestTimeout: requestTimeoutMs,
    connectionTimeout: stalledMs,
    keepAliveTimeout: keepAliveMs,
    http: { connectionsCheckingInterval: 2000, headersTimeout: requestTimeoutMs, requireHostHeader: false }, // refused by us, as a problem
    return503OnClosing: false, // what was accepted while draining is answered
    requestIdHeader: false,
    genReqId: ({ headers }) => cleanId(headers['x-request-id']) ?? nextId(),
    frameworkErrors: (error, request, reply) => {
      const failure = new LatchkeyError('validation_failed', { cause: error, detail: 'The address of the request is malformed.' })
      const problem = problemOf(failure, { base: '', instance: '/', requestId: request.id })
      void (reply as FastifyReply).code(failure.statusCode).headers({ ...bare, 'x-request-id': request.id }).type('application/problem+json').send(problem)
    },
    clientErrorHandler: (error, socket) => { answerBadHttp(error, socket as Socket, nextId(), bare) }
  }
  const app = Fastify(options)
  // an expectation that nobody can meet is not met (RFC 9110 section 10.1.1 lets us): Node would answer it without a body
  app.server.on('checkExpectation', (request, response) => { app.server.emit('request', request, response) })
  app.register(latchkey, { config, ownsNotFound: true, ...brought })
  // a connection whose answer was in flight when the closing began becomes idle afterwards, and Node would wait for it
  app.addHook('preClose', async () => {
    const sweep = setInterval(() => { app.server.closeIdleConnections() }, 50)
    app.server.once('close', () => { clearInterval(sweep) })
  })
  return app
}

/** Milliseconds that a client is given to read an answer to what was no HTTP. */
const lingerMs = 1000

/** A client's own request id, if it is one that a log can hold. */
function cleanId (header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[A-Za-z0-9._:-]{1,128}$/.test(header) ? header : undefined
}

const codeOfFailure: Record<string, ErrorCode> = { ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout', HPE_HEADER_OVERFLOW: 'headers_too_large' }

/** Node found no request in what arrived: the answer is written by hand, and the connection ends. */
function answerBadHttp (error: NodeJS.ErrnoException, socket: Socket, requestId: string, headers: Record<string, string>): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  // Node's own names for the answer that the socket still owes and for the request that it reads; a request that has its answer,
  // or a part of it, gets no second one: whoever shares the connection would take it for the answer to the next request
  const { _httpMessage: owed, parser } = socket as { _httpMessage?: ServerResponse | null, parser?: { incoming?: IncomingMessage | null } | null }
  if (owed && (owed.req.complete || owed.headersSent)) {
    owed.shouldKeepAlive = false
    owed.once('close', () => { socket.destroySoon() })
    return
  }
  setTimeout(() => { socket.destroy() }, lingerMs).unref() // whoever does not hang up is cut off
  if (!owed && parser?.incoming?.complete === false) {
    socket.end()
    return
  }
  const code = codeOfFailure[error.code ?? '']
  const failure = code === undefined ? new LatchkeyError('validation_failed', { detail: 'This is not a valid HTTP request.' }) : new LatchkeyError(code)
  const body = JSON.stringify(problemOf(failure, { base: '', instance: '/', requestId }))
  const lines = Object.entries({
    ...headers,
    'x-request-id': requestId,
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close'
  }).map(([name, value]) => `${name}: ${value}`)
  socket.end([`HTTP/1.1 ${failure.statusCode} ${STATUS_CODES[failure.statusCode]}`, ...lines, '', body].join('\r\n'))
}

/** What plugins/security.ts puts on every answer, for the few that no hook has seen. */
const bareHeaders = ({ cookieSecure }: Config): Record<string, string> => ({
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  ...(cookieSecure && { 'strict-transport-security': 'max-age=31536000; includeSubDomains' })
})
