// HTTP as a client sends it: any header, any body, over a real socket. Every answer that is a failure is checked for the
// one shape of failures and kept as evidence for test/guard/leaks.
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { noteEvidence } from './evidence.ts'

export interface Call {
  method?: string
  headers?: Record<string, string | string[]>
  /** Sent as JSON. */
  body?: unknown
  /** Sent as it is, with the content type of `headers`. */
  raw?: string | Buffer
  /** Sent as Authorization: Bearer. */
  token?: string
  /** Address of this machine to send from, such as 127.0.0.2. */
  from?: string
  /** The connections to use, instead of those that all tests share. */
  agent?: Agent
  /** Hangs up, whatever has been sent or has arrived. */
  signal?: AbortSignal
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  /** The body as it came. */
  bytes: Buffer
  /** The body as JSON; undefined if it is none. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into answers freely
  json: any
  /** Milliseconds from sending to the last byte. */
  ms: number
}

const shared = new Agent({ keepAlive: true, maxSockets: 256 })

export async function callHttp (origin: string, path: string, { method = 'GET', headers = {}, body, raw, token, from, agent = from === undefined ? shared : new Agent(), signal }: Call = {}): Promise<Answer> {
  const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
  const begin = performance.now()
  return await new Promise<Answer>((resolve, reject) => {
    const outgoing = httpRequest(origin + path, {
      method,
      agent,
      ...(from !== undefined && { localAddress: from }),
      ...(signal !== undefined && { signal }),
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(payload !== undefined && { 'content-length': String(Buffer.byteLength(payload)) }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers
      }
    }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => { chunks.push(chunk) })
      incoming.on('error', reject)
      incoming.on('end', () => {
        const bytes = Buffer.concat(chunks)
        const text = bytes.toString('utf8')
        const answer: Answer = { status: incoming.statusCode as number, headers: incoming.headers, text, bytes, json: parse(text), ms: performance.now() - begin }
        if (answer.status >= 400) noteEvidence('error', `${JSON.stringify(answer.headers)} ${text}`)
        resolve(answer)
      })
    })
    outgoing.on('error', (error) => { reject(Object.assign(error, { reusedSocket: outgoing.reusedSocket })) })
    outgoing.end(payload)
  })
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
