// Guard: what the documents say is what the code does. Pages made from code are up to date; that their commands work and their
// links lead somewhere is told by test/docs.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { makePages } from '../../scripts/docs.ts'
import { environmentName, settingNames } from '../../src/config/settings-schema.ts'

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

await t.test('the README opens with the two commands that start and test it', async (t) => {
  const [first, second] = [...read('README.md').matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block)
  t.equal(first, 'npm ci && npm start\n')
  t.equal(second, 'npm ci && npm test\n')
})
