// Two instances of the built service, processes of one deployment, and what they log.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface Line extends Record<string, unknown> { level: number, msg: string, job?: string, err?: { message: string } }

export interface Instances {
  origins: [string, string]
  /** Lines that the runs of a job have logged on either of them, warnings left out. */
  linesOf: (job: string) => Line[]
  stop: () => Promise<void>
}

const server = fileURLToPath(new URL('../../dist/src/server.js', import.meta.url))

// the same for all instances of a run
const secrets = Object.fromEntries(['ACCESS_TOKEN_SECRET', 'REFRESH_TOKEN_SECRET', 'SESSION_SECRET'].map((name) => [name, randomBytes(32).toString('base64url')]))

async function startInstance (env: NodeJS.ProcessEnv): Promise<{ origin: string, lines: Line[], stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [server], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: Line[] = []
  const ended = once(child, 'exit')
  const origin = await new Promise<string>((resolve, reject) => {
    void ended.then(() => { reject(new Error(`it ended: ${lines.map(({ msg }) => msg).join('; ')}`)) })
    createInterface(child.stdout).on('line', (text) => {
      const line = JSON.parse(text) as Line
      lines.push(line)
      if (line.level >= 40) console.error(`        ${line.msg} ${line.err?.message ?? ''}`)
      const found = /listening at (http:\S+)/.exec(line.msg)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  return {
    origin,
    lines,
    async stop () {
      child.kill('SIGTERM')
      await ended
    }
  }
}

/** @param cleanUpSeconds from one run of the clean-up to the next */
export async function startInstances ({ mongodbUri, redisUrl, database }: { mongodbUri: string, redisUrl: string, database: string }, { cleanUpSeconds }: { cleanUpSeconds: number }): Promise<Instances> {
  const env = {
    PATH: process.env['PATH'],
    NODE_ENV: 'production',
    DOCS: 'true',
    PORT: '0',
    MONGODB_URI: mongodbUri.replace(/^(mongodb:\/\/[^/?]+)\/?/, `$1/${database}`),
    REDIS_URL: redisUrl,
    BCRYPT_COST: '10',
    LOGIN_LIMIT_PER_ADDRESS: '1000000',
    CLEANUP_INTERVAL_SECONDS: String(cleanUpSeconds),
    ...secrets
  }
  const [one, two] = [await startInstance(env), await startInstance(env)]
  return {
    origins: [one.origin, two.origin],
    linesOf: (job) => [...one.lines, ...two.lines].filter((line) => line.job === job && line.level < 40),
    async stop () { await Promise.all([one.stop(), two.stop()]) }
  }
}
