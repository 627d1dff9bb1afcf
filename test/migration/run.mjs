// `npm run test:migration [-- files and tap's options]`: the services of examples/migrating, moved step by step, each step as a process of its own, on
// the MongoDB and Redis that the environment names. Installs what they need from the npm registry into a folder of its own, so it
// is no part of `npm test`.
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeProject } from '../package/empty-project.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const chosen = process.argv.slice(2)
const all = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.migration.ts')).map((file) => `test/migration/${file}`)
const files = chosen.some((argument) => !argument.startsWith('-')) ? chosen : [...all, ...chosen]

if (!process.env.REDIS_URL || !process.env.MONGODB_URI) {
  console.error('It needs REDIS_URL and MONGODB_URI. Without any: .ci/real-engines/engines.sh run npm run test:migration')
  process.exit(1)
}
const { folder, close } = makeProject(join(root, 'examples/migrating'))
try {
  cpSync(join(root, 'examples/migrating'), folder, { recursive: true, filter: (path) => !path.includes('node_modules') })
  const { status } = spawnSync(process.execPath, ['test/run.mjs', ...files], { cwd: root, stdio: 'inherit', env: { ...process.env, MIGRATING: folder } })
  process.exitCode = status ?? 1
} finally {
  close()
}
