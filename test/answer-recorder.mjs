// Notes what every operation answered, in whichever process and by whomever it was asked: loaded before everything else by
// test/run.mjs, it hooks into each Fastify instance as it is made, the service's own and a host's around it. An operation is
// known by the `operationId` of its route, so that aliases and prefixes do not matter. test/guard/answers.test.ts judges.
import { subscribe } from 'node:diagnostics_channel'
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.env.LATCHKEY_EVIDENCE
const noted = new Set()

/** Each different answer once a process: a benchmark sends a hundred thousand alike. */
function note (answer) {
  const text = JSON.stringify(answer)
  if (noted.has(text)) return
  noted.add(text)
  mkdirSync(folder, { recursive: true })
  appendFileSync(join(folder, `${process.pid}.jsonl`), JSON.stringify({ kind: 'answer', text }) + '\n')
}

/** The `code` of a refusal; '' where the body is none of ours. */
function codeOf (payload) {
  try {
    return String(JSON.parse(payload).code ?? '')
  } catch {
    return ''
  }
}

const codes = new WeakMap()

function record ({ fastify }) {
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (reply.statusCode >= 400) codes.set(request, codeOf(payload))
    done()
  })
  fastify.addHook('onResponse', (request, reply, done) => {
    const { schema: { operationId } = {}, method } = request.routeOptions
    const type = String(reply.getHeader('content-type') ?? '').split(';', 1)[0]
    if (operationId !== undefined && method !== 'HEAD') note({ operation: operationId, status: reply.statusCode, code: codes.get(request) ?? '', type })
    done()
  })
}

if (folder) subscribe('fastify.initialization', record)
