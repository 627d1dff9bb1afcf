// Log lines of a process whose reader does not read: they are lost, the service is not slowed down, and later lines are whole.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import t from 'tap'
import { createLogStream } from '../../src/log-stream.ts'

await t.test('a reader that does not read costs lines and no time, and what it reads later is whole lines', async (t) => {
  const reader = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] })
  const { fd } = (reader.stdin as unknown as { _handle: { fd: number } })._handle // a pipe that never blocks
  const stream = createLogStream(fd)
  const line = `${JSON.stringify({ text: 'x'.repeat(5000) })}\n`
  const begin = performance.now()
  for (let lines = 0; lines < 1000; lines++) stream.write(line) // nobody reads what cat writes
  const took = performance.now() - begin
  t.ok(took < 5000, `${Math.round(took)} ms for a thousand lines, of which each would wait 50`)

  let read = ''
  reader.stdout.setEncoding('utf8').on('data', (text: string) => { read += text })
  await new Promise((resolve) => { setTimeout(resolve, 200) }) // cat catches up
  stream.write('{"text":"the last"}\n')
  reader.stdin.end()
  await once(reader, 'close')
  const lines = read.trimEnd().split('\n')
  t.ok(lines.length < 1000, `${lines.length} of 1001 lines came`)
  t.equal(lines.at(-1), '{"text":"the last"}')
  t.ok(lines.filter((one) => one !== line.trimEnd()).length <= 2, 'one line is torn at most')
})

await t.test('a full disk and a reader that has gone throw nothing', async (t) => {
  t.doesNotThrow(() => { createLogStream(openSync('/dev/full', 'w')).write('a line\n') })
  t.doesNotThrow(() => { createLogStream(9999).write('a line\n') })
})
