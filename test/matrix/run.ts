// `npm run test:faults [-- --only F-R5,F-M6] [--short] [--out FILE] [--page] [--beside FILE]`: the fault matrix of REQUIREMENTS
// section 3, on engines of its own and two instances of the built service. Says on standard error what it does; the result is a
// line a cell. `--page` writes it into docs/reliability.md, with what an earlier run has told to FILE of the cells that this
// one does not play. Exit code 1 if a cell fails.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { buildIfNewer } from '../../scripts/build.mjs'
import type { Cell } from './cell.ts'
import { edgeCells } from './edge-cells.ts'
import { startField, type Field } from './field.ts'
import { mongoCells } from './mongo-cells.ts'
import { playCell, restore, type Played } from './play.ts'
import { processCells } from './process-cells.ts'
import { redisCells } from './redis-cells.ts'
import { lineOf, writePage } from './report.ts'

const { values } = parseArgs({ options: { only: { type: 'string' }, short: { type: 'boolean', default: false }, out: { type: 'string' }, page: { type: 'boolean', default: false }, beside: { type: 'string' } } })
const isShort = values.short
const cells: Cell[] = [...redisCells, ...mongoCells, ...processCells, ...edgeCells]
const wanted = values.only?.split(',')
const isWanted = ({ id, short }: Cell): boolean => wanted === undefined ? !isShort || short === true : wanted.includes(id) || wanted.includes(id.split('/')[0] as string)
const chosen = cells.filter(isWanted)
const leftOut = chosen.filter(({ skip }) => Boolean(skip))

const begin = performance.now()
const say = (text: string): void => { console.error(`${((performance.now() - begin) / 1000).toFixed(0).padStart(5)} s  ${text}`) }

/** The field as a cell may expect it; what one has left beyond repair is given up. */
async function ready (field: Field): Promise<Field> {
  try {
    await restore(field)
    return field
  } catch (error) {
    say(`a new field: ${String(error)}`)
    await field.close()
    return await startField()
  }
}

buildIfNewer()
for (const { id, skip } of leftOut) say(`${id}: left out, ${skip}`)
const played: Played[] = []
let field = await startField()
try {
  for (const cell of chosen.filter(({ skip }) => !skip)) {
    field = await ready(field)
    const one = await playCell(cell, field, { say, isShort })
    played.push(one)
    console.log(lineOf(one))
  }
} finally {
  await field.close()
}

const failed = played.filter(({ failures }) => failures.length > 0).length
console.log(`${played.length - failed} passed, ${failed} failed; ${Math.round((performance.now() - begin) / 1000)} s`)
const earlier = values.beside === undefined ? [] : JSON.parse(readFileSync(values.beside, 'utf8')) as Played[]
const all = cells.flatMap(({ id }) => [...played, ...earlier].find(({ cell }) => cell.id === id) ?? [])
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(all, null, 2)}\n`)
if (values.page) writePage(all, cells.filter(({ skip }) => Boolean(skip)), all.length - played.length)
process.exitCode = failed > 0 ? 1 : 0
