// Guard: each guarantee of SECURITY.md names a test that there is, and the bounds that it publishes are those of the code and
// of the README.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { settingsSchema } from '../../src/config/settings-schema.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string): string => readFileSync(root + file, 'utf8')
const page = read('SECURITY.md')

/** Rows of the table whose first column has this title. */
const rowsOf = (title: string): string[][] => (page.split('\n\n').find((part) => part.startsWith(`| ${title} |`)) ?? '').trim().split('\n').slice(2)
  .map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

await t.test('each guarantee names a file and a test in it', async (t) => {
  const rows = rowsOf('guarantee')
  t.ok(rows.length >= 30)
  for (const [guarantee, file = '', name = ''] of rows) {
    t.ok(existsSync(root + file), `${guarantee}: ${file}`)
    const written = read(file).replaceAll("\\'", "'") // as it reads, not as it is quoted
    t.ok(name.length > 20 && new RegExp(`t\\.test\\((['\`]).*${escaped(name)}`).test(written), `${guarantee}: ${name}`)
  }
})

await t.test('the published bounds are those of the README and of the settings', async (t) => {
  const bounds = rowsOf('where').map(([, bound]) => bound)
  t.strictSame(bounds, ['at once', '50 ms at the 99th percentile', 'T = 3 s', `T_fault = \`VERDICT_TTL_SECONDS\`, ${settingsSchema.properties.verdictTtlSeconds.default as number} s by default`])
  for (const bound of ['50 ms at the 99th percentile', '3 s', '`VERDICT_TTL_SECONDS`, 60 s']) t.ok(read('README.md').includes(bound), bound)
})

await t.test('it says how to report, what is supported, and what is out of scope', async (t) => {
  for (const title of ['Reporting', 'Supported versions', 'What is protected, from whom, and where the borders are', 'How fast a revocation is felt', 'Guarantees', 'Out of scope']) t.match(page, `\n## ${title}\n`)
})
