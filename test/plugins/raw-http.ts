// A client that writes bytes as they are, for what no HTTP library would send: broken requests, several in one breath,
// requests that never end.
import { connect, type Socket } from 'node:net'
import { noteEvidence } from '../helper/evidence.ts'
import type { Answer } from '../helper/http.ts'
import type { Service } from '../helper/service.ts'

export interface RawAnswer extends Answer {
  /** Whether the service closed the connection. */
  closed: boolean
  /** Everything that came, later answers included. */
  all: string
}

/** Opens a connection to a service; errors of the line are an end of it. */
export function dial ({ origin }: Service): Socket {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  socket.on('error', () => { /* the service has hung up */ })
  return socket
}

/**
 * Sends bytes and reads until the service closes the connection.
 * @param waitMs how long it may take to close; after that the answer is what has come
 */
export async function exchange (service: Service, bytes: string | Buffer, waitMs = 3000): Promise<RawAnswer> {
  const socket = dial(service)
  socket.write(bytes)
  return await answerOf(socket, waitMs)
}

export async function answerOf (socket: Socket, waitMs: number): Promise<RawAnswer> {
  const begin = performance.now()
  const chunks: Buffer[] = []
  const closed = await new Promise<boolean>((resolve) => {
    const late = setTimeout(() => { resolve(false) }, waitMs)
    socket.on('data', (chunk: Buffer) => { chunks.push(chunk) })
    socket.on('close', () => {
      clearTimeout(late)
      resolve(true)
    })
  })
  socket.destroy()
  const all = Buffer.concat(chunks).toString('latin1')
  return { ...parse(all), all, closed, ms: performance.now() - begin }
}

/** The first answer in the text; status 0 if there is none. */
function parse (all: string): Omit<Answer, 'ms'> {
  const [head = '', ...rest] = all.split('\r\n\r\n')
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]))
  const length = Number(headers['content-length'] ?? NaN)
  const text = Number.isNaN(length) ? rest.join('\r\n\r\n') : rest.join('\r\n\r\n').slice(0, length)
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1] ?? 0)
  for (const one of all.split(/(?=HTTP\/1\.1 \d{3} )/)) if (/^HTTP\/1\.1 [45]/.test(one)) noteEvidence('error', one) // of several, each that refuses
  return { status, headers, text, bytes: Buffer.from(text, 'latin1'), json: jsonOf(text) }
}

function jsonOf (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
