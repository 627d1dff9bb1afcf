// Starts an example as its reader would, on a free port and in a folder of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { buildIfNewer } from '../../scripts/build.mjs'
import { callHttp, type Answer, type Call } from '../helper/http.ts'
import { recording } from '../helper/noted-answers.ts'
import { scratchFolder } from '../helper/scratch.ts'

export interface Example {
  origin: string
  call: (path: string, call?: Call) => Promise<Answer>
  /** Ends it before the test does. */
  stop: () => Promise<void>
  /** Makes an account through its doors. */
  register: (base: string, username: string) => Promise<{ accessToken: string, refreshToken: string, userId: string }>
}

export async function startExample (t: Test, file: string, env: Record<string, string> = {}): Promise<Example> {
  buildIfNewer() // an example imports the package by its name, as it is shipped
  return await startScript(t, fileURLToPath(new URL(`../../examples/${file}`, import.meta.url)), env)
}

export async function startScript (t: Test, path: string, env: Record<string, string>): Promise<Example> {
  const child = spawn(process.execPath, [path], { env: { PATH: process.env['PATH'], ...recording, PORT: '0', DATA_DIR: scratchFolder(t), ...env } })
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  t.teardown(stop)
  let printed = ''
  const origin = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        printed += chunk.toString()
        const found = /listening on (http:\S+)/.exec(printed)?.[1]
        if (found !== undefined) resolve(found.replace('[::1]', '127.0.0.1'))
      })
    }
    void ended.then(() => { reject(new Error(`it ended: ${printed}`)) })
  })
  const call: Example['call'] = (path, what) => callHttp(origin, path, what)
  return {
    origin,
    call,
    stop,
    async register (base, username) {
      const { status, text, json } = await call(`${base}/api/auth/register`, { method: 'POST', body: { email: `${username}@leak-mark.example`, username, password: `Pw7mark-${username}` } })
      if (status !== 201) throw new Error(`register: ${status} ${text}`)
      return { accessToken: json.accessToken, refreshToken: json.refreshToken, userId: json.user.id }
    }
  }
}
