// Guard: what the documents say is what the code does. Pages made from code are up to date, and the README's first
// commands work when they are pasted.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { makePages } from '../../scripts/docs.ts'
import { environmentName, settingNames } from '../../src/config/settings-schema.ts'
import { scratchFolder } from '../helper/scratch.ts'
import { startProcess } from '../helper/process.ts'

const run = promisify(execFile)
const pages = await makePages()
const read = (file: string): string => readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8')

await t.test('pages that are made from code are up to date (npm run docs)', async (t) => {
  for (const [file, page] of Object.entries(pages)) t.equal(read(file), page, file)
})

await t.test('.env.example and docker-compose.yml name only settings that there are', async (t) => {
  const known = new Set(settingNames.map(environmentName))
  for (const [, name = ''] of read('.env.example').matchAll(/^(?:# )?([A-Z_]+)=/gm)) t.ok(known.has(name), name)
  for (const [, name = ''] of read('docker-compose.yml').matchAll(/^ {6}([A-Z_]+):/gm)) t.ok(known.has(name), name)
})

await t.test('links between the documents lead somewhere', async (t) => {
  for (const file of ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'docs/migration.md', 'docs/security.md', 'examples/migrating/README.md', 'examples/migrating/from-jwt-middleware/README.md', 'examples/migrating/from-express-session/README.md', ...Object.keys(pages).filter((page) => page.endsWith('.md'))]) {
    const folder = file.includes('/') ? file.slice(0, file.lastIndexOf('/') + 1) : ''
    for (const [, target] of read(file).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
      t.ok(existsSync(fileURLToPath(new URL(`../../${folder}${target}`, import.meta.url))), `${file} -> ${target}`)
    }
  }
})

await t.test('the first login of the README works when it is pasted', async (t) => {
  const blocks = [...read('README.md').matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block as string)
  t.match(blocks[0], /^npm ci && npm start\n$/, 'it opens with the first of the two commands')
  t.match(blocks[1], /^npm ci && npm test\n$/, 'and the second')
  const server = startProcess(t, { DATA_DIR: scratchFolder(t), BCRYPT_COST: '10' })
  const origin = await server.origin
  const script = (blocks[2] as string).replaceAll('http://127.0.0.1:3000', origin)
  t.not(script, blocks[2], 'it speaks to the address that the start prints')
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script])
  t.match(stdout, /"message":"Registration successful"/)
  t.match(stdout, /"message":"Hello, ada"/)
  t.match(stdout, /"revoked":1/)
  t.match(stdout, /"code":"session_revoked"/, 'and shows the token die')
})
