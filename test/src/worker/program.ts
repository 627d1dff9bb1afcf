// A program for crews: it listens and says who it is. PROGRAM has it behave: `cannot start`, `dies` as soon as it listens (the
// worker with number 2 alone), or `stays` when it is asked to end. Each start is a line in the file that PROGRAM_STARTS names.
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { takeSeat, type Seat } from '../../../src/worker/seat.ts'

const { PROGRAM, PROGRAM_STARTS } = process.env
const seat = takeSeat(process.env) as Seat
appendFileSync(PROGRAM_STARTS as string, `${seat.number}\n`)
if (PROGRAM === 'cannot start') process.exit(3)

seat.showBy(async () => `text of ${seat.number}`)
const server = createServer((request, response) => {
  response.setHeader('connection', 'close')
  if (request.url === '/others') void seat.askOthers().then((texts) => { response.end(`${seat.number}: ${texts.join()}`) })
  else response.end(`${seat.number} ${process.pid}`)
})
if (PROGRAM === 'stays') setInterval(() => { /* something to do */ }, 1000)
seat.serve(server, () => { if (PROGRAM !== 'stays') server.close(() => { process.exit(0) }) })
server.listen(0, '127.0.0.1', () => { if (PROGRAM === 'dies' && seat.number === 2) setImmediate(() => { process.exit(7) }) })
