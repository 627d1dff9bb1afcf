// Guard: one direction. Rooms know the rooms before them and no Fastify; sockets know rooms; doors know schemas, errors
// and the types of rooms; nobody knows what composes them (docs/decisions/0001).
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))
const order = ['errors', 'clock', 'meter', 'worker', 'schemas', 'config', 'embedded', 'cache', 'limit', 'user', 'session', 'token', 'account', 'preference', 'visit', 'job', 'import']
const composition = new Set(['app', 'cli', 'end-signals', 'host-options', 'index', 'launch', 'lead', 'log-stream', 'offline', 'serve', 'server', 'standalone', 'start-lines'])
/** What sockets share: types, and the view of a scope that a library gets; no room. */
const shared = new Set(['register-apart', 'scope-options', 'types', 'version'])

interface Import { from: string, to: string, typeOnly: boolean }

const files = (folder: string): string[] => readdirSync(join(root, folder), { recursive: true }).map(String).filter((file) => file.endsWith('.ts')).map((file) => join(folder, file))

function importsOf (file: string): Import[] {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest)
  const found: Import[] = []
  source.forEachChild((node) => {
    if (!(ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) || node.moduleSpecifier === undefined) return
    const specifier = (node.moduleSpecifier as ts.StringLiteral).text
    const to = specifier.startsWith('.') ? relative(root, join(root, dirname(file), specifier)) : specifier
    const typeOnly = ts.isImportDeclaration(node)
      ? node.importClause?.isTypeOnly === true || (node.importClause?.namedBindings !== undefined && ts.isNamedImports(node.importClause.namedBindings) &&
        node.importClause.name === undefined && node.importClause.namedBindings.elements.every((element) => element.isTypeOnly))
      : node.isTypeOnly
    found.push({ from: file, to, typeOnly })
  })
  return found
}

/** `src/cache/breaker.ts` -> `cache`, `src/errors.ts` -> `errors`. */
const roomOf = (file: string): string => (file.split('/')[1] ?? '').replace('.ts', '')

const all = ['src', 'plugins', 'routes'].flatMap(files).flatMap(importsOf)
const between = (from: string, to: string) => all.filter((one) => one.from.startsWith(from) && one.to.startsWith(to))

await t.test('a room imports only rooms before it, and never what composes, plugs or opens', async (t) => {
  const inRooms = all.filter(({ from }) => from.startsWith('src/') && order.includes(roomOf(from)))
  t.ok(inRooms.length > 100, 'there are rooms')
  for (const { from, to } of inRooms) {
    if (to.startsWith('src/')) {
      t.ok(order.includes(roomOf(to)), `${from} imports a room: ${to}`)
      t.ok(order.indexOf(roomOf(to)) <= order.indexOf(roomOf(from)), `${from} imports backwards: ${to}`)
    } else t.notMatch(to, /^(plugins|routes|fastify|@fastify)(\/(?!busboy$)|-|$)/, `${from} knows no socket, door or framework: ${to}`)
  }
})

await t.test('every file of src is in a room, shared, or composition', async (t) => {
  for (const file of files('src')) {
    const room = roomOf(file)
    t.ok(order.includes(room) || shared.has(room) || composition.has(room), file)
  }
})

await t.test('a plugin imports rooms and packages, never another plugin, a door or what composes', async (t) => {
  t.strictSame(between('plugins/', 'plugins/'), [])
  t.strictSame(between('plugins/', 'routes/'), [])
  t.strictSame(between('plugins/', 'src/').filter(({ to }) => composition.has(roomOf(to))), [])
})

await t.test('a door imports schemas and errors, of rooms only types, and never a socket or a client', async (t) => {
  t.strictSame(between('routes/', 'plugins/'), [])
  t.strictSame(between('routes/', 'src/').filter(({ to, typeOnly }) => !typeOnly && !['schemas', 'errors'].includes(roomOf(to))), [])
  t.strictSame(all.filter(({ from, to }) => from.startsWith('routes/') && ['mongodb', 'ioredis', '@fastify/mongodb', '@fastify/redis'].includes(to)), [])
})

await t.test('the console is a client: it imports its own files and those of the client, which know nothing of the server', async (t) => {
  const [page, client] = ['console', 'client'].map((folder) => files(folder).flatMap(importsOf)) as [Import[], Import[]]
  t.ok(page.some(({ to }) => to === 'client/index.ts'))
  t.strictSame(page.filter(({ to }) => !/^(console\/|client\/index\.ts$)/.test(to)), [])
  t.strictSame(client.filter(({ to }) => !/^(client\/|openapi-fetch$)/.test(to)), [])
})

await t.test('no import goes in a circle', async (t) => {
  const edges = new Map<string, string[]>()
  for (const { from, to, typeOnly } of all) if (!typeOnly) edges.set(from, [...edges.get(from) ?? [], to])
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) circles.push([...path, file].join(' -> '))
    if (done.has(file) || path.includes(file)) return
    for (const next of edges.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of edges.keys()) visit(file, [])
  t.strictSame(circles, [])
})
