// `npm run test:faults [-- --only F-R5,F-M6] [--short] [--out FILE] [--page]`: the fault matrix of REQUIREMENTS section 3, on engines
// of its own and two instances of the built service. Says what it does on standard error; the result is a line a cell.
// `--page` writes it into docs/reliability.md. Exit code 1 if a cell fails.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { buildIfNewer } from '../../scripts/build.mjs'
import type { Cell } from './cell.ts'
import { startField } from './field.ts'
import { edgeCells } from './edge-cells.ts'
import { mongoCells } from './mongo-cells.ts'
import { processCells } from './process-cells.ts'
import { redisCells } from './redis-cells.ts'
import { playCell, restore, type Played } from './play.ts'
import { lineOf } from './report.ts'

const { values } = parseArgs({ options: { only: { type: 'string' }, short: { type: 'boolean', default: false }, out: { type: 'string' }, page: { type: 'boolean', default: false } } })
const isShort = values.short
const cells: Cell[] = [...redisCells, ...mongoCells, ...processCells, ...edgeCells]
const wanted = values.only?.split(',')
const isWanted = ({ id, short }: Cell): boolean => wanted === undefined ? !isShort || short === true : wanted.includes(id) || wanted.includes(id.split('/')[0] as string)
const chosen = cells.filter(isWanted)

const begin = performance.now()
const say = (text: string): void => { console.error(`${((performance.now() - begin) / 1000).toFixed(0).padStart(5)} s  ${text}`) }

buildIfNewer()
say(`${chosen.length} cells`)
const field = await startField()
const played: Played[] = []
try {
  for (const cell of chosen) {
    if (cell.skip) {
      say(`${cell.id}: left out, ${cell.skip}`)
      continue
    }
    await restore(field)
    const one = await playCell(cell, field, { say, isShort })
    played.push(one)
    console.log(lineOf(one))
  }
} finally {
  await field.close()
}

const failed = played.filter(({ failures }) => failures.length > 0).length
console.log(`${played.length - failed} passed, ${failed} failed, ${cells.length - played.length} not played; ${Math.round((performance.now() - begin) / 1000)} s`)
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(played, null, 2)}\n`)
process.exitCode = failed > 0 ? 1 : 0
