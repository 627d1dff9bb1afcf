// The maps in plugins/README.md and routes/README.md, which test/guard/readmes.test.ts keeps true.
import { readFileSync } from 'node:fs'

/** Rows of the first table of a README, cells without backticks. */
export function rowsOf (file: string): string[][] {
  const lines = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8').split('\n').filter((line) => line.startsWith('|'))
  return lines.slice(2).map((line) => line.split('|').slice(1, -1).map((cell) => cell.replaceAll('`', '').trim()))
}
