// `npm run test:browser [-- files and tap's options]`: the browser app of the examples in a real headless Chromium, served by the package as it is
// packed and installed. Fetches what it needs (Debian's Chromium into a cache folder, packages from the npm registry), so it is
// no part of `npm test`.
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeProject } from '../package/empty-project.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const chosen = process.argv.slice(2)
const all = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.browser.ts')).map((file) => `test/browser/${file}`)
const files = chosen.some((argument) => !argument.startsWith('-')) ? chosen : [...all, ...chosen]

const { status: found, stdout } = spawnSync(join(root, '.ci/browser/chromium.sh'), ['path'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
if (found !== 0) process.exit(1)
const { folder, close } = makeProject()
try {
  cpSync(join(root, 'examples/browser-app'), join(folder, 'browser-app'), { recursive: true })
  const { status } = spawnSync(process.execPath, ['test/run.mjs', ...files], { cwd: root, stdio: 'inherit', env: { ...process.env, CHROMIUM: stdout.trim(), BROWSER_APP: join(folder, 'browser-app/server.mjs') } })
  process.exitCode = status ?? 1
} finally {
  close()
}
