// Guard: the maps in plugins/ and routes/ say what is there.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { doorsOf } from '../helper/doors.ts'
import { rowsOf } from '../helper/readme-rows.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const listed = (cell: string | undefined): string[] => (cell ?? '').split(',').map((item) => item.trim()).filter((item) => item !== '').sort()

await t.test('plugins/README.md names every plugin, what it decorates and what it needs', async (t) => {
  const rows = new Map(rowsOf('plugins/README.md').map((row) => [row[0], row]))
  const files = readdirSync(`${root}plugins`).filter((file) => file.endsWith('.ts'))
  t.strictSame([...rows.keys()].sort(), files.map((file) => file.replace('.ts', '')).sort())
  for (const file of files) {
    const name = file.replace('.ts', '')
    const { default: plugin } = await import(`../../plugins/${file}`) as { default: Record<symbol, { name: string, dependencies?: string[] }> }
    const meta = plugin[Symbol.for('plugin-meta')]
    t.equal(meta?.name, `latchkey-${name}`, `${file} says its name`)
    t.strictSame(listed(rows.get(name)?.[2]), (meta?.dependencies ?? []).map((needed) => needed.replace('latchkey-', '')).sort(), `${name} needs`)
    const source = readFileSync(`${root}plugins/${file}`, 'utf8')
    const decorated = new Set([...source.matchAll(/scope\.decorate\('(\w+)'/g)].map(([, decorator]) => decorator as string))
    t.strictSame(listed(rows.get(name)?.[1]), [...decorated].sort(), `${name} decorates`)
  }
})

await t.test('the order in plugins/README.md is the order in which they are registered', async (t) => {
  const registered = [...readFileSync(`${root}src/app.ts`, 'utf8').matchAll(/scope\.register\((\w+)/g)].map(([, name]) => name)
  t.strictSame(registered.filter((name) => !name?.endsWith('Doors')), rowsOf('plugins/README.md').map(([name]) => name?.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())))
})

await t.test('routes/README.md names every door, its other addresses, its scope and its file', async (t) => {
  const doors = await doorsOf(t)
  const rows = rowsOf('routes/README.md')
  const shown = doors.filter((door) => !door.hidden)
  t.strictSame(rows.map(([method, url]) => `${method} ${url}`).sort(), shown.map(({ method, url }) => `${method} ${url}`).sort())
  for (const [method, url, aliases, scope, file] of rows) {
    const door = shown.find((one) => one.url === url && one.method === method)
    const others = doors.filter((one) => one.hidden && one.operationId === door?.operationId).map((one) => one.url)
    t.strictSame(listed(aliases), others.sort(), `${url} is also at`)
    if (scope === 'visitor') t.ok(door?.security.length, `${url} says how a visitor is known`)
    else t.equal(scope, door?.guarded ? 'private' : 'public', `${url} stands in its scope`)
    t.ok(readFileSync(`${root}routes/${scope}/${file}`, 'utf8').includes(`'${url}'`), `${url} is opened in ${scope}/${file}`)
  }
})
