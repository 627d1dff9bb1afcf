// Which test files name which rows: ids at the beginning of a text in their source, which is a test's name or the part of one
// that a loop puts there.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rowIdsOf } from './rows.ts'

const folder = fileURLToPath(new URL('../', import.meta.url))

/** @returns by row, the files that name it, such as `routes/login`, in order */
export function filesOfRows (): Map<string, string[]> {
  const files = new Map<string, string[]>()
  for (const file of (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith('.test.ts')).sort()) {
    const ids = new Set([...readFileSync(folder + file, 'utf8').matchAll(/['`]((?:[A-K]\d{1,2} )+)(?=[^\s'`])/g)].flatMap(([, text]) => rowIdsOf(text as string)))
    for (const id of ids) files.set(id, [...files.get(id) ?? [], file.replace('.test.ts', '')])
  }
  return files
}
