// The hook behind quick-loader.mjs. What was blanked once is kept in .tap/ by its contents. Tap's mocking is left out: nobody uses it
// (eslint.config.js), and loading it takes 0.85 s of CPU in every process and every thread that hashes.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const kept = new URL('../.tap/blanked/', import.meta.url)
let blankSpace

async function blank (source) {
  const file = new URL(`${createHash('sha256').update(source).digest('hex')}.js`, kept)
  try {
    return readFileSync(file, 'utf8')
  } catch { /* the first time */ }
  blankSpace ??= (await import('ts-blank-space')).default
  const blanked = blankSpace(source, (node) => { throw new Error(`cannot be blanked: ${node.getText()}`) })
  mkdirSync(kept, { recursive: true })
  const draft = `${fileURLToPath(file)}.${process.pid}.${Math.random()}`
  writeFileSync(draft, blanked)
  renameSync(draft, file)
  return blanked
}

export async function load (url, context, nextLoad) {
  if (url.endsWith('/@tapjs/mock/dist/esm/import.mjs')) return { format: 'module', source: '', shortCircuit: true }
  if (!url.startsWith('file:') || !/\.ts(?:\?|$)/.test(url) || url.includes('/node_modules/')) return await nextLoad(url, context)
  return { format: 'module', source: await blank(readFileSync(fileURLToPath(url), 'utf8')), shortCircuit: true }
}
