// Room `import`: what became of the documents, counted, and each one that is left behind with its reason: by its id, never
// by an address or a token.
import type { CollectionName, Note, Outcome } from './batches.ts'

export interface Counts { read: number, imported: number, there: number, ended: number, skipped: number }

export interface ImportReport {
  note: Note
  counts: Readonly<Record<CollectionName, Readonly<Counts>>>
  /** The table at the end. */
  lines: () => string[]
}

const none = (): Counts => ({ read: 0, imported: 0, there: 0, ended: 0, skipped: 0 })

/** @param say gets a line for each document that is left behind, as soon as that is known: nobody must hold them all */
export function createImportReport (say: (line: string) => void): ImportReport {
  const counts = { users: none(), usersession: none() }
  const kindOf = (outcome: Outcome): Exclude<keyof Counts, 'read'> => typeof outcome === 'string' ? outcome : 'skipped'
  return {
    counts,
    note (collection, label, outcome) {
      counts[collection].read++
      counts[collection][kindOf(outcome)]++
      if (typeof outcome === 'object') say(`skipped  ${collection} ${label}: ${outcome.skipped}`)
    },
    lines () {
      const rows = [
        ['', 'read', 'imported', 'already there', 'ended', 'skipped'],
        ...Object.entries(counts).map(([name, { read, imported, there, ended, skipped }]) => [name, read, imported, there, ended, skipped].map(String))
      ]
      const widths = (rows[0] as string[]).map((_, at) => Math.max(...rows.map((row) => (row[at] as string).length)))
      return rows.map((row) => row.map((cell, at) => at === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[at] as number)).join('  '))
    }
  }
}
