// Two instances of the built service, processes of one deployment, and what they log.
import { randomBytes } from 'node:crypto'
import { startBuilt, type LogLine } from '../helper/built-instance.ts'

export type Line = LogLine & { job?: string }

export interface Instances {
  origins: [string, string]
  /** Lines that the runs of a job have logged on either of them, warnings left out. */
  linesOf: (job: string) => Line[]
  stop: () => Promise<void>
}

// the same for all instances of a run
const secrets = Object.fromEntries(['ACCESS_TOKEN_SECRET', 'REFRESH_TOKEN_SECRET', 'SESSION_SECRET'].map((name) => [name, randomBytes(32).toString('base64url')]))

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
  const onLine = (line: LogLine): void => { if (line.level >= 40) console.error(`        ${line.msg} ${line.err?.message ?? ''}`) }
  const [one, two] = [await startBuilt(env, { onLine }), await startBuilt(env, { onLine })]
  return {
    origins: [one.origin, two.origin],
    linesOf: (job) => [...one.lines, ...two.lines].filter((line: Line) => line.job === job && line.level < 40),
    async stop () { await Promise.all([one.stop(), two.stop()]) }
  }
}
