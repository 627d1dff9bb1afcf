// What the documents point at is there: other pages and their headings, files, commands, settings. Nobody outside is asked.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import t from 'tap'
import { environmentName, aliasesOf, settingNames } from '../../src/config/settings-schema.ts'
import { pages, root, type Page } from './markdown.ts'

const { scripts, bin } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: Record<string, string>, bin: Record<string, string> }
const byFile = new Map(pages.map((page) => [page.file, page]))

/** @returns what is wrong with a link; undefined for a good one */
function faultOf ({ file, anchors }: Page, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return URL.canParse(link) && (link.startsWith('https://') || /^http:\/\/127\.0\.0\.1\b/.test(link)) ? undefined : 'not an address of the web'
  const [path = '', fragment] = link.split('#')
  const target = path === '' ? file : normalize(join(dirname(file), path))
  if (target.startsWith('..') || !existsSync(root + target)) return 'leads nowhere'
  if (fragment === undefined) return undefined
  const there = path === '' ? anchors : byFile.get(target)?.anchors
  if (there?.has(fragment) !== true) return 'there is no such heading'
  return there.has(`${fragment}-1`) ? 'several headings are called this' : undefined
}

await t.test('every link and picture of every page leads somewhere, to the heading that it names', async (t) => {
  t.ok(pages.length > 40)
  t.strictSame(pages.flatMap((page) => page.links.map((link) => ({ page: page.file, link, fault: faultOf(page, link) })).filter(({ fault }) => fault !== undefined)), [])
})

await t.test('every page of docs/ is reached from the reading order', async (t) => {
  const reached = new Set<string>()
  const walk = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    for (const link of byFile.get(file)?.links ?? []) {
      const target = normalize(join(dirname(file), link.split('#', 1)[0] as string))
      if (target.startsWith('docs/') && byFile.has(target)) walk(target)
    }
  }
  walk('docs/README.md')
  t.strictSame(pages.map(({ file }) => file).filter((file) => file.startsWith('docs/') && !reached.has(file)), [])
  t.ok(byFile.get('README.md')?.links.includes('docs/README.md'), 'which the README leads to')
})

/** @param file its name may have a `*` */
function isThere (file: string): boolean {
  const [before = '', after = ''] = basename(file).split('*')
  return file.includes('*') ? existsSync(root + dirname(file)) && readdirSync(root + dirname(file)).some((name) => name.startsWith(before) && name.endsWith(after)) : existsSync(root + file)
}

/** @returns what a command names that is not there */
function missingIn (command: string): string[] {
  const words = command.split(/\s+/).filter((word) => !/^[A-Z_]+=/.test(word))
  const [first = '', ...rest] = words
  if (first.startsWith('.') || first.startsWith('examples/')) return [...existsSync(root + first) ? [] : [first], ...rest[0] === 'run' ? missingIn(rest.slice(1).join(' ')) : []]
  if (first === 'node') return existsSync(root + rest[0]) ? [] : [String(rest[0])]
  if (first === 'npx') return rest[0] !== undefined && rest[0] in bin ? [] : [String(rest[0])]
  if (first !== 'npm') return []
  const script = rest[0] === 'run' ? rest.slice(1).find((word) => !word.startsWith('-')) : rest[0]
  const files = rest.filter((word) => /^[\w.*/-]+\.\w+$/.test(word) && word.includes('/'))
  return [...script === undefined || script in scripts || ['ci', 'audit', 'install', 'pack', 'publish'].includes(script) ? [] : [`npm run ${script}`], ...files.filter((file) => !isThere(file))]
}

const spansOf = (form: RegExp): { page: string, span: string }[] => pages.flatMap(({ file, spans }) => spans.filter((span) => form.test(span)).map((span) => ({ page: file, span })))

await t.test('every command that a page names in its text is there, with the files that it takes', async (t) => {
  const commands = spansOf(/^(?:(?:npm|node|npx) |\.ci\/|examples\/\S+ )/)
  t.ok(commands.length > 30)
  t.strictSame(commands.map(({ page, span }) => ({ page, span, missing: missingIn(span) })).filter(({ missing }) => missing.length > 0), [])
})

await t.test('every file of the project that a page names in its text is there', async (t) => {
  const folders = readdirSync(root).filter((name) => statSync(root + name).isDirectory() && !['node_modules', 'dist'].includes(name))
  const named = spansOf(/^[\w./-]+$/).filter(({ page, span }) => page !== 'CHANGELOG.md' && folders.some((folder) => span.startsWith(`${folder}/`)))
  t.ok(named.length > 30)
  t.strictSame(named.filter(({ span }) => !existsSync(root + span) && !existsSync(`${root}test/${span}.test.ts`)), [])
})

/** Variables that pages name and that are no settings of the service. */
const others = new Set(['LATCHKEY_REQUIRE_REAL_ENGINES', 'FUZZ_RUNS', 'FUZZ_SEED', 'REAL_ENGINES', 'REAL_ENGINES_HOME', 'REAL_ENGINES_STATE', 'REAL_ENGINES_NO_SYSTEM_REDIS', 'REDIS_OPTIONS', 'MONGO_PORT', 'FAKETIME_LIBRARY', 'REDOCLY_TELEMETRY', 'REDOCLY_SUPPRESS_UPDATE_NOTICE', 'SCHED_NONE'])

/** What an example beside this page takes from its environment. */
const takenBeside = (page: string): string[] => page.startsWith('examples/')
  ? readdirSync(root + dirname(page)).filter((file) => file.endsWith('.mjs'))
    .flatMap((file) => [...readFileSync(join(root, dirname(page), file), 'utf8').matchAll(/const \{([^}]+)\} = process\.env/g)])
    .flatMap(([, names]) => (names as string).match(/[A-Z_]+/g) ?? [])
  : []

await t.test('every setting that a page names in its text is one', async (t) => {
  const known = new Set(settingNames.flatMap((name) => [environmentName(name), ...aliasesOf(name)]))
  const named = spansOf(/^[A-Z]+(?:_[A-Z]+)+(?:=.*)?$/).map(({ page, span }) => ({ page, name: span.split('=', 1)[0] as string }))
  t.ok(named.length > 100)
  t.strictSame(named.filter(({ page, name }) => !known.has(name) && !others.has(name) && !takenBeside(page).includes(name)), [])
})
