// A page followed to the letter: its files are written, its commands pasted in its order, and what it says they print is looked
// for in what they printed.
import { symlinkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { buildIfNewer } from '../../scripts/build.mjs'
import { mongodbUri, realEngines, redisUrl } from '../helper/engines.ts'
import { scratchFolder } from '../helper/scratch.ts'
import { createDeployment, startService, withDatabase } from '../helper/service.ts'
import { kindOf, root, type Block, type Page } from './markdown.ts'
import { openShell } from './shell.ts'

/** Pages whose commands need more than a shell: a test of their own pastes them. */
export const ownStories: Readonly<Record<string, string>> = { 'docs/migration.md': 'test/flows/migration-page.test.ts' }

const needsEngines = ({ remarks }: Block): boolean => remarks.has('needs')

/** Whether a block is a command that a page's story runs. */
export const isPasted = (block: Block): boolean =>
  kindOf(block) === 'sh' && !block.remarks.has('not run') && !block.remarks.has('run by') && ownStories[block.place.split(':', 1)[0] as string] === undefined

/** `// app.mjs` or `# app.sh` as a block's first line: what the reader is to call it. */
export const fileNameOf = ({ text }: Block): string | undefined => /^(?:\/\/|#) ([\w-]+\.(?:mjs|ts|js))$/m.exec(text.split('\n', 1)[0] as string)?.[1]

async function freePort (): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => { server.close(resolve) })
  return port
}

/** A folder in which the package and everything that it depends on can be imported by name. */
export function projectFolder (t: Test): string {
  buildIfNewer()
  const folder = scratchFolder(t)
  const { name, dependencies, peerDependencies, devDependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Record<string, Record<string, string>> & { name: string }
  const places = new Map([[name, root], ...Object.keys({ ...dependencies, ...peerDependencies, ...devDependencies }).map((one) => [one, `${root}node_modules/${one}`] as const)])
  for (const [one, place] of places) {
    const link = join(folder, 'node_modules', one)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(place, link)
  }
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  return folder
}

/** What is said in a page, with what this machine has: free ports, and the engines of this run. */
async function createPlaces (t: Test, page: Page): Promise<{ here: (text: string) => string, portOf: (block: Block) => number }> {
  const pasted = page.blocks.filter(isPasted)
  const starts = pasted.some(({ remarks }) => remarks.has('keeps running'))
  const ports = new Map<string, number>()
  if (starts) for (const port of ['3000', '3001', '4000']) ports.set(port, await freePort())
  else if (pasted.some(({ text }) => text.includes(':3000'))) ports.set('3000', Number(new URL((await startService(t)).origin).port))
  const names = new Map<string, string>()
  if (realEngines && pasted.some(needsEngines)) {
    const deployment = createDeployment(t)
    await startService(t, { deployment }) // cleans up behind the page
    names.set('mongodb://127.0.0.1:27017/latchkey', withDatabase(mongodbUri as string, deployment.database))
    names.set('redis://127.0.0.1:6379', `${redisUrl as string}\nREDIS_KEY_PREFIX=${deployment.prefix}`)
  }
  return {
    here: (text) => [...names].reduce((said, [name, place]) => said.replaceAll(name, place), text).replace(/\b(3000|3001|4000)\b/g, (port) => String(ports.get(port) ?? port)),
    portOf: ({ text }) => ports.get(/PORT=(\d+)/.exec(text)?.[1] ?? '3000') as number
  }
}

/** Codes of the problems among answers. */
const problemsIn = (printed: string): string[] => [...printed.matchAll(/"code":"(\w+)","requestId"/g)].map(([, code]) => code as string)

/** Expected text: `...` stands for anything, and answers may follow each other without a new line. */
const patternOf = (text: string): RegExp => new RegExp(text.trim().split('...').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\n', '\\s*')).join('[^]*'))

export async function follow (t: Test, page: Page): Promise<void> {
  const folder = projectFolder(t)
  const { here, portOf } = await createPlaces(t, page)
  const shell = openShell(t, folder, { BCRYPT_COST: '10', PORT: here('3000') })
  const named = new Map<string, string>()
  let printed: string | undefined
  for (const [index, block] of page.blocks.entries()) {
    const { place, remarks } = block
    const text = here(block.text)
    const name = fileNameOf(block)
    if (name !== undefined) writeFileSync(join(folder, name), text)
    if (remarks.has('output') && printed !== undefined) t.match(printed, patternOf(text), `${place}: what the command before it prints`)
    printed = undefined
    if (!isPasted(block) || (needsEngines(block) && !realEngines)) continue
    if (remarks.has('keeps running')) {
      await shell.start(text, portOf(block))
      continue
    }
    if (remarks.has('name')) named.set(remarks.get('name') as string, text)
    printed = await shell.paste(text)
    const next = page.blocks[index + 1]
    const foretold = [...remarks.get('answers')?.split(', ') ?? [], ...next?.remarks.has('output') ? [...next.text.matchAll(/"code":"(\w+)"/g)].map(([, code]) => code as string) : []]
    t.strictSame(problemsIn(printed), foretold, `${place}: no failure but those that the page tells of`)
    if (remarks.has('then')) await shell.paste(named.get(remarks.get('then') as string) as string)
  }
}
