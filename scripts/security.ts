// `npm run docs:security`: puts what the last run on real engines says about the rows of the requirements into docs/security.md.
// test/run.mjs keeps that record; test/guard/rows.test.ts holds the page to the tests that there are.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { filesOfRows } from '../test/requirements/named-tests.ts'
import { rows } from '../test/requirements/rows.ts'

export interface RowRecord {
  /** Names and versions. */
  engines: string
  /** By test file and row. */
  files: Record<string, Record<string, { passed: number, failed: number, skipped: number }>>
}

const pathOf = (file: string): string => fileURLToPath(new URL(`../${file}`, import.meta.url))

export const page = 'docs/security.md'
export const [beginning, end] = ['<!-- rows: made by `npm run docs:security` after a run on real engines -->', '<!-- /rows -->'] as const

/** What a run says of a row: `ok` needs a test that passed in each of its files. */
function resultOf (id: string, files: readonly string[], record: RowRecord): string {
  const outcomes = files.map((file) => record.files[`test/${file}.test.ts`]?.[id])
  if (outcomes.some((outcome) => (outcome?.failed ?? 0) > 0)) return 'failed'
  return outcomes.length > 0 && outcomes.every((outcome) => (outcome?.passed ?? 0) > 0) ? 'ok' : 'left out'
}

/** The cells of the table but for its results, which only a run knows. */
export function rowCells (): { id: string, cells: string[], files: string[], remark: string }[] {
  const files = filesOfRows()
  return rows.map(({ id, level, requirement, source, exception }) => {
    const own = files.get(id) ?? []
    return { id, cells: [id, level, requirement, source, own.map((file) => `\`${file}\``).join(' ')], files: own, remark: exception === undefined ? '' : `; ${exception}` }
  })
}

export function rowsPart (record: RowRecord): string {
  const table = rowCells().map(({ id, cells, files, remark }) => `| ${[...cells, resultOf(id, files, record) + remark].join(' | ')} |`)
  return [`Engines: ${record.engines}. Test files are below \`test/\` and end in \`.test.ts\`.`, '', '| row | level | requirement | source | test files | result |', '|---|---|---|---|---|---|', ...table].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const kept = pathOf('.tap/rows.json')
  if (!existsSync(kept)) throw new Error('No run on real engines is kept: .ci/real-engines/engines.sh run npm test')
  const text = readFileSync(pathOf(page), 'utf8')
  const part = rowsPart(JSON.parse(readFileSync(kept, 'utf8')) as RowRecord)
  writeFileSync(pathOf(page), `${text.slice(0, text.indexOf(beginning) + beginning.length)}\n\n${part}\n\n${text.slice(text.indexOf(end))}`)
  for (const [word, lines] of Object.entries({ 'left out': part.match(/\| left out.*\|$/gm), failed: part.match(/\| failed.*\|$/gm) })) console.log(`${lines?.length ?? 0} ${word}`)
  console.log(`written: ${page}`)
}
