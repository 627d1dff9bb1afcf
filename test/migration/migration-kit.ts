// For the stories of moving: one deployment of an app with a database of its own, its steps as processes one after the other, and
// the command that takes accounts and sessions over.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { MongoClient, type Db } from 'mongodb'
import type { Test } from 'tap'
import { startScript, type Example } from '../examples/example-process.ts'
import { mongodbUri, redisUrl } from '../helper/engines.ts'
import { testSecret, withDatabase } from '../helper/service.ts'

export interface Move {
  /** Where the packages are installed. */
  folder: string
  /** The app's own database. */
  db: Db
  /** Starts a step in the place of the one before. */
  step: (file: string, more?: Record<string, string>) => Promise<Example>
  /** Runs a command of the packages' folder. @returns what it printed */
  run: (file: string, args: string[]) => Promise<string>
  /** `npx latchkey` with the configuration of the new service. @returns what it printed */
  latchkey: (...args: string[]) => Promise<string>
  databaseUrl: string
}

/** @param env what the app is configured by, beside addresses and Latchkey's secrets */
export async function createMove (t: Test, example: string, env: Record<string, string>): Promise<Move> {
  const folder = process.env['MIGRATING']
  if (folder === undefined || mongodbUri === undefined || redisUrl === undefined) throw new Error('Where is it installed? Use: npm run test:migration')
  const name = `latchkey_test_${randomBytes(6).toString('hex')}`
  const [databaseUrl, own] = [withDatabase(mongodbUri, `${name}_app`), withDatabase(mongodbUri, name)]
  const client = await new MongoClient(databaseUrl).connect()
  const secrets = { ACCESS_TOKEN_SECRET: testSecret(), REFRESH_TOKEN_SECRET: testSecret(), SESSION_SECRET: testSecret() }
  const place = { MONGODB_URI: own, REDIS_URL: redisUrl }
  const run = async (file: string, args: string[], more: Record<string, string>): Promise<string> =>
    (await promisify(execFile)(process.execPath, [file, ...args], { cwd: folder, env: { PATH: process.env['PATH'] ?? '', ...more } })).stdout
  let current: Example | undefined
  t.teardown(async () => {
    await current?.stop() // first, so that nothing is written any more
    await client.db().dropDatabase()
    await client.db(name).dropDatabase()
    await client.close()
  })
  return {
    folder,
    databaseUrl,
    db: client.db(),
    async step (file, more = {}) {
      await current?.stop()
      current = await startScript(t, join(folder, example, file), { ...place, ...secrets, ...env, DATABASE_URL: databaseUrl, ...more })
      return current
    },
    run: async (file, args) => await run(join(folder, example, file), args, { ...place, ...env }),
    latchkey: async (...args) => await run(join(folder, 'node_modules/latchkey/dist/src/cli.js'), args, { ...place, ...secrets })
  }
}
