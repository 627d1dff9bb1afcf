// The service as a process of its own, started as `npm start` starts it: built if the sources are newer, then run from dist/.
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { noteEvidence } from './evidence.ts'
import { callHttp, type Answer, type Call } from './http.ts'
import { recording } from './noted-answers.ts'
import type { Scope } from './scratch.ts'

export interface ServerProcess {
  child: ChildProcess
  /** Resolves with where it listens; rejects with what it printed if it ends before. */
  origin: Promise<string>
  /** Everything printed so far. */
  printed: () => string
  /** Resolves when it has ended. */
  ended: Promise<{ code: number | null, signal: NodeJS.Signals | null }>
  call: (path: string, call?: Call) => Promise<Answer>
}

const start = fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url))

/** What a `.env` of the developer's must not bring into a test. */
const unset = { MONGODB_URI: '', DB_URI: '', REDIS_URL: '', UPSTASH_URL: '', REDIS_HOST: '', REDIS_CLUSTER_NODES: '' }

/** @param env the whole environment beside PATH; PORT is a free one unless it is given */
export function startProcess (t: Scope, env: Record<string, string>): ServerProcess {
  const child = spawn(process.execPath, [start], { env: { PATH: process.env['PATH'], ...recording, ...unset, PORT: '0', ...env } })
  let printed = ''
  let listening = (_origin: string) => { /* set below */ }
  const ended = new Promise<{ code: number | null, signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => { resolve({ code, signal }) })
  })
  const origin = new Promise<string>((resolve, reject) => {
    listening = resolve
    void ended.then(() => { reject(new Error(`it ended: ${printed}`)) })
  })
  origin.catch(() => { /* for whoever does not ask */ })
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      noteEvidence('log', chunk.toString())
      const found = /^\s*API\s+(http:\S+)/m.exec(printed)?.[1]
      if (found !== undefined) listening(found)
    })
  }
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, origin, printed: () => printed, ended, call: async (path, call) => await callHttp(await origin, path, call) }
}
