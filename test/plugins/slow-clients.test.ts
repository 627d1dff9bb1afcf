// Clients that send a byte now and then are cut after ten seconds with a 408, and nobody else waits for them
// (REQUIREMENTS I5). All of them are slow at the same time, so that this waits once.
import t from 'tap'
import { noteAnswer } from '../helper/noted-answers.ts'
import { register } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { expectProblem } from './expect-problem.ts'
import { readDocument } from './openapi-document.ts'
import { answerOf, dial, type RawAnswer } from './raw-http.ts'

const slow: Record<string, string> = {
  'in its first line': 'GET /liv',
  'in its headers': 'GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ',
  'in its body': 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{',
  'in its chunks': 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
}

await t.test('I5 a request must have arrived within ten seconds; the others do not wait for it', async (t) => {
  const service = await startService(t)
  const document = await readDocument(service)
  const { accessToken } = await register(service)
  const slowly = (begin: string, more: string): Promise<RawAnswer> => {
    const socket = dial(service)
    socket.write(begin)
    const drip = setInterval(() => { if (socket.writable) socket.write(more) }, 500)
    return answerOf(socket, 14_500).finally(() => { clearInterval(drip) })
  }
  const sockets = Object.entries(slow).map(([where, begin]) => ({ where, answer: slowly(begin, where === 'in its chunks' ? '1\r\na\r\n' : 'a') }))
  const everyOperation = document.operations.map((operation) => ({ operation, answer: slowly(`${operation.method} ${operation.path.replace(/[{}]/g, '')} HTTP/1.1\r\nHost: x\r\nX-Slow: `, 'a') }))
  const idle = Array.from({ length: 200 }, () => {
    const socket = dial(service)
    socket.write('GET /livez HTTP/1.1\r\n')
    return socket
  })
  const times: number[] = []
  for (let i = 0; i < 50; i++) {
    const answer = await service.get('/api/protected', { token: accessToken })
    t.equal(answer.status, 200)
    times.push(answer.ms)
  }
  t.ok((times.sort((a, b) => a - b)[25] as number) < 100, `the others are served as ever: ${(times[25] as number).toFixed(1)} ms`)

  for (const { where, answer: coming } of sockets) {
    const answer = await coming
    expectProblem(t, answer, 408, 'request_timeout', { what: where })
    t.ok(answer.closed, `${where}: the connection ends`)
    t.ok(answer.ms > 9000 && answer.ms < 14_000, `${where}: after ${Math.round(answer.ms)} ms`)
  }
  for (const { operation, answer: coming } of everyOperation) {
    const answer = await coming
    noteAnswer(operation.is.operationId, answer)
    expectProblem(t, answer, 408, 'request_timeout', { what: operation.is.operationId })
    t.strictSame(document.undeclared(operation, answer), [], operation.is.operationId)
  }
  for (const socket of idle) socket.destroy()
  t.equal((await service.get('/api/protected', { token: accessToken })).status, 200)
  t.strictSame(service.logs.filter(({ level }) => Number(level) >= 50), [], 'no error was logged')
})
