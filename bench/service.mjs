// The built service as people start it, a process with an environment of its own, for measurements from outside.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/**
 * @param name of its database, and the beginning of its keys
 * @returns the service, and the milliseconds until it listened
 */
export async function startService (name, env = {}) {
  const begin = performance.now()
  const secret = () => randomBytes(32).toString('base64url')
  const child = spawn(process.execPath, ['--no-memory-reducer', fileURLToPath(new URL('../dist/src/server.js', import.meta.url))], {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      PORT: '0',
      MONGODB_URI: process.env.MONGODB_URI.replace(/^(mongodb:\/\/[^/?]+)\/?/, `$1/${name}`),
      REDIS_URL: process.env.REDIS_URL,
      REDIS_KEY_PREFIX: `${name}:`,
      BCRYPT_COST: '10',
      LOGIN_LIMIT_PER_ADDRESS: '1000000',
      ACCESS_TOKEN_SECRET: secret(),
      REFRESH_TOKEN_SECRET: secret(),
      SESSION_SECRET: secret(),
      ...env
    },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const origin = await new Promise((resolve, reject) => {
    child.once('exit', (code) => { reject(new Error(`the service ended with ${code}`)) })
    createInterface(child.stdout).on('line', (line) => {
      const [, found] = /listening at (http:[^"\s]+)/.exec(line) ?? []
      if (found !== undefined) resolve(found)
    })
  })
  return {
    origin,
    startMs: performance.now() - begin,
    async stop () {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  }
}

/** One request that must be answered with 2xx, and its milliseconds. */
export async function timed (origin, path, { token, body } = {}) {
  const begin = performance.now()
  const response = await fetch(origin + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) })
  })
  const json = await response.json()
  if (response.status >= 300) throw new Error(`${path}: ${response.status}`)
  return { ms: performance.now() - begin, json }
}
