// `npm run build` and the build of `npm start`, on a project of three files: made once, made anew when a source changes,
// and whole however many builds meet; the console's page is in it as one script.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { promisify } from 'node:util'
import { buildIfNewer } from '../../scripts/build.mjs'

const run = promisify(execFile)
const options = { compilerOptions: { target: 'ES2022', module: 'NodeNext', rootDir: '.', types: [] } }

/** A project in a folder of the test. */
function makeProject (t: Test): { root: string, write: (text: string) => void, read: () => string, folders: () => string[] } {
  const root = t.testdir({
    'package.json': '{"type":"module"}',
    'package-lock.json': '{}',
    'tsconfig.json': JSON.stringify(options),
    'tsconfig.build.json': '{"extends":"./tsconfig.json","include":["src","plugins","routes","client"]}',
    src: { 'index.ts': 'export const n: number = 1\n' },
    plugins: {},
    routes: {},
    client: {},
    console: { 'console.ts': 'document.title = "there"\n', 'index.html': '<!doctype html>', 'console.css': 'a{}', 'icon.svg': '<svg/>' }
  })
  return {
    root,
    write: (text) => { writeFileSync(join(root, 'src/index.ts'), text) },
    read: () => readFileSync(join(root, 'dist/src/index.js'), 'utf8'),
    folders: () => readdirSync(root).filter((name) => name.startsWith('dist')).sort()
  }
}

await t.test('it is made once, and anew when a source has changed', async (t) => {
  const { root, write, read, folders } = makeProject(t)
  t.equal(buildIfNewer(root), true)
  t.match(read(), /const n = 1/)
  t.equal(buildIfNewer(root), false)
  write('export const n: number = 2\n')
  t.equal(buildIfNewer(root), true)
  t.match(read(), /const n = 2/)
  t.strictSame(folders(), ['dist'])
})

await t.test('the page of the console is in it: its script as one, the rest as it is, anew when one of them has changed', async (t) => {
  const { root } = makeProject(t)
  const made = (name: string): string => readFileSync(join(root, 'dist/console', name), 'utf8')
  buildIfNewer(root)
  t.equal(made('console.js'), 'document.title="there";\n')
  t.equal(made('icon.svg'), '<svg/>')
  writeFileSync(join(root, 'console/console.css'), 'b{}')
  t.equal(buildIfNewer(root), true)
  t.equal(made('console.css'), 'b{}')
})

await t.test('what a killed build has left is removed, what a running one makes is not', async (t) => {
  const { root, folders } = makeProject(t)
  const { pid } = (await run(process.execPath, ['-e', 'console.log(process.pid)']).then(({ stdout }) => ({ pid: stdout.trim() })))
  for (const name of [`dist.${pid}`, `dist.${pid}.old`, `dist.${process.ppid}`, 'dist.notes']) mkdirSync(join(root, name))
  buildIfNewer(root)
  t.strictSame(folders(), ['dist', `dist.${process.ppid}`, 'dist.notes'].sort())
})

await t.test('builds that meet leave one whole dist', async (t) => {
  const { root, read, folders } = makeProject(t)
  const script = new URL('../../scripts/build.mjs', import.meta.url).href
  await Promise.all([1, 2, 3].map(() => run(process.execPath, ['--input-type=module', '-e', `import { buildIfNewer } from '${script}'; buildIfNewer(${JSON.stringify(root)})`])))
  t.match(read(), /const n = 1/)
  t.ok(existsSync(join(root, 'dist/.stamp')))
  t.strictSame(folders(), ['dist'])
})
