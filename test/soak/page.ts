// Writes what a run has found into docs/reliability.md, between marks, and leaves the rest of the page alone.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const file = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url))

const introduction = `## A crowd, while things break

Eight clients share ten users on two instances, with a Redis and a MongoDB of their own, while one thing after the other breaks:
an instance, a store, the network between them. What each client saw is judged afterwards by eighteen invariants
(\`test/soak/invariants\`); a call without a definite answer counts as neither done nor undone. Lifetimes are short, so that what
takes time happens within a run (\`test/soak/rules.ts\`: T is 3 s, and 5 s, the longest life of a copy, where something was broken).
Everything that is decided by chance comes from the seed: \`--seed N\` makes the same choices again, though not at the same
millisecond, and \`--again\` judges the same histories. \`--prove\` puts six bugs into the running service, one at a time, each of
which the checker must find.`

const parts = ['seeds', 'bugs'] as const
const [begin, end] = ['<!-- soak -->', '<!-- /soak -->']
const marksOf = (part: string): [string, string] => [`<!-- soak ${part} -->`, `<!-- /soak ${part} -->`]

/** Replaces what stands between two marks; both must be there. */
function between (page: string, [from, to]: readonly [string, string], text: string): string {
  const [at, until] = [page.indexOf(from), page.indexOf(to)]
  if (at < 0 || until < at) throw new Error(`docs/reliability.md has no ${from} with its end`)
  return page.slice(0, at + from.length) + `\n\n${text}\n\n` + page.slice(until)
}

export function writePart (part: typeof parts[number], text: string): void {
  let page = existsSync(file) ? readFileSync(file, 'utf8') : `# Reliability\n\n${begin}\n${end}\n`
  if (!page.includes(begin)) page = `${page.trimEnd()}\n\n${begin}\n${end}\n`
  if (!parts.every((one) => page.includes(marksOf(one)[0]))) {
    page = between(page, [begin, end], [introduction, ...parts.map((one) => marksOf(one).join('\n'))].join('\n\n'))
  }
  writeFileSync(file, between(page, marksOf(part), text))
}
