// Guard: every row of the requirements has a test that names it, no test names a row that there is not, and docs/security.md
// says the same as both; its answers to OWASP ASVS 5.0.0 are complete and lead somewhere.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { beginning, end, page, rowCells } from '../../scripts/security.ts'
import { filesOfRows } from '../requirements/named-tests.ts'
import { rowIdsOf, rows } from '../requirements/rows.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const text = readFileSync(root + page, 'utf8')
const known = new Set(rows.map(({ id }) => id))

/** Lines of a table, cells without the spaces around them. */
const cellsOf = (part: string): string[][] => part.split('\n').filter((line) => /^\| [A-Z\d]/.test(line)).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))

await t.test('each row that must hold has a test that names it, and each other one has a test or a reason', async (t) => {
  const files = filesOfRows()
  t.strictSame(rows.filter(({ id, level, exception }) => !files.has(id) && (level === 'M' || exception === undefined)).map(({ id }) => id), [])
  t.strictSame([...files.keys()].filter((id) => !known.has(id)), [], 'and no test names another')
  t.equal(known.size, rows.length, 'no id stands twice')
  t.equal(rows.length, 100)
})

await t.test('the ids of a name are those at its beginning', async (t) => {
  t.strictSame(rowIdsOf(['A1', 'B22', 'what holds'].join(' ')), ['A1', 'B22'])
  for (const name of ['A1: x', 'A1', 'what A1 x', 'L1 x', 'A PNG and HTML']) t.strictSame(rowIdsOf(name), [])
})

await t.test('docs/security.md shows the rows and the tests that there are (npm run docs:security)', async (t) => {
  const shown = cellsOf(text.slice(text.indexOf(beginning), text.indexOf(end)))
  t.strictSame(shown.map((cells) => cells.slice(0, -1)), rowCells().map(({ cells }) => cells))
  for (const [at, { id, remark }] of rowCells().entries()) t.ok(['ok', 'failed', 'left out'].some((result) => shown[at]?.at(-1) === result + remark), `${id}: ${shown[at]?.at(-1)}`)
})

/** Requirements of each section of the chapters that are answered. */
const sections = { 3: [1, 3, 5, 8, 8, 1, 5], 6: [3, 12, 8, 6, 8, 4, 2, 4], 7: [3, 4, 2, 5, 3, 2], 9: [3, 4], 10: [2, 3, 5, 16, 5, 2, 3] }

await t.test('each requirement of ASVS chapters 3, 6, 7, 9 and 10 is answered once, and answers lead somewhere', async (t) => {
  const answers = cellsOf(text.slice(text.indexOf('## OWASP ASVS'))).filter(([number]) => /^\d+\.\d+\.\d+$/.test(number ?? ''))
  const asked = Object.entries(sections).flatMap(([chapter, counts]) => counts.flatMap((count, section) => Array.from({ length: count }, (_, i) => `${chapter}.${section + 1}.${i + 1}`)))
  t.strictSame(answers.map(([number]) => number), asked)
  for (const [number = '', level, requirement, answer, where] of answers) {
    t.match(level, /^[123]$/, number)
    t.match(requirement, /\w/, number)
    t.ok(['met', 'not applicable', 'deviation'].includes(answer ?? ''), `${number}: ${answer}`)
    t.match(where, /\w/, number)
    for (const [id] of (where ?? '').matchAll(/\b[A-K]\d{1,2}\b(?!\.)/g)) t.ok(known.has(id), `${number}: row ${id}`)
    for (const [, file] of (where ?? '').matchAll(/`((?:src|plugins|routes|test|docs)\/[^`]+)`/g)) t.ok(existsSync(root + String(file)), `${number}: ${file}`)
  }
})
