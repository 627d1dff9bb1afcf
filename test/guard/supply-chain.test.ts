// Guard: what is installed and shipped is what the lock file says, and needs nobody's script. The image keeps its promises as
// far as its files can tell: two stages, no development packages, no root, nothing written.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string): string => readFileSync(root + file, 'utf8')

interface Entry { version?: string, resolved?: string, integrity?: string, dev?: boolean, optional?: boolean, link?: boolean, hasInstallScript?: boolean, deprecated?: string }
interface Manifest { dependencies: Record<string, string>, peerDependencies: Record<string, string>, devDependencies: Record<string, string>, allowScripts: Record<string, boolean>, overrides: Record<string, string> }
const manifest = JSON.parse(read('package.json')) as Manifest
const locked = Object.entries((JSON.parse(read('package-lock.json')) as { packages: Record<string, Entry> }).packages).filter(([place]) => place !== '')

await t.test('every package of the lock file is of one version, known by a strong hash, and comes from a registry', async (t) => {
  t.ok(locked.length > 100)
  for (const [place, { version, integrity, resolved, link }] of locked) {
    t.match(place, /^node_modules\//, place)
    t.match(version, /^\d+\.\d+\.\d+/, place)
    t.match(integrity, /^sha512-[A-Za-z0-9+/]{86}==$/, place)
    t.notOk(link, place)
    if (resolved !== undefined) t.match(resolved, /^https:\/\/registry\.npmjs\.org\//, place)
  }
  for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.devDependencies, ...manifest.overrides })) t.match(range, /^[\^~]?\d+\.\d+\.\d+$/, `${name} is a version of a registry, no file, address or tag`)
})

await t.test('no install script is needed: what has one is named and not allowed to run it', async (t) => {
  const scripted = locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([place]) => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length))
  t.strictSame(scripted.sort(), Object.keys(manifest.allowScripts).sort())
  for (const [name, allowed] of Object.entries(manifest.allowScripts)) t.equal(allowed, false, name)
  for (const file of ['Dockerfile', '.ci/run']) {
    for (const [, options] of read(file).matchAll(/^\s*(?:RUN )?npm ci(.*)$/gm)) t.match(options, '--ignore-scripts', file)
  }
})

await t.test('nothing that is shipped is deprecated by its authors', async (t) => {
  t.strictSame(locked.filter(([, { dev, deprecated }]) => !dev && deprecated !== undefined).map(([place]) => place), [])
})

await t.test('what is shipped imports only what is shipped', async (t) => {
  const names = new Set([...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }), ...builtinModules])
  const files = ['src', 'plugins', 'routes', 'client', 'console'].flatMap((folder) => readdirSync(root + folder, { recursive: true }).map((file) => `${folder}/${String(file)}`)).filter((file) => file.endsWith('.ts'))
  for (const file of files) {
    for (const [, from = ''] of read(file).matchAll(/^(?!import type ).*\bfrom '([^'.][^']*)'$/gm)) {
      const name = from.replace(/^node:/, '').split('/').slice(0, from.startsWith('@') ? 2 : 1).join('/')
      t.ok(names.has(name), `${file}: ${from}`)
    }
  }
})

await t.test('the bill of materials names every package that is shipped, with its hash and licence', async (t) => {
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], { cwd: root, maxBuffer: 32 * 1024 * 1024 })
  const { bomFormat, components } = JSON.parse(stdout) as { bomFormat: string, components: { name: string, version: string, hashes?: unknown[], licenses?: unknown[] }[] }
  t.equal(bomFormat, 'CycloneDX')
  const named = new Set(components.map(({ name, version }) => `${name}@${version}`))
  const shipped = locked.filter(([, { dev }]) => !dev).map(([place, { version }]) => `${place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${version ?? ''}`)
  t.strictSame(shipped.filter((one) => !named.has(one)), [])
  for (const { name, hashes, licenses } of components) t.ok((hashes ?? []).length > 0 && (licenses ?? []).length > 0, name)
})

await t.test('the image is built from what it names, runs as nobody special and without what only builds it', async (t) => {
  const lines = read('Dockerfile').replaceAll('\\\n', ' ').split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')))
  const of = (word: string, among = last): string[] => among.filter((line) => line.startsWith(`${word} `))
  t.equal(of('FROM', lines).length, 2, 'two stages')
  t.match(of('ARG', lines)[0], /^ARG NODE_IMAGE=node:\d+-\w+-slim(@sha256:[0-9a-f]{64})?$/, 'one pinned base, and it can be pinned to the byte')
  t.ok(of('FROM', lines).every((line) => /^FROM \$\{NODE_IMAGE\}( AS \w+)?$/.test(line)))
  t.match(of('RUN', lines).join('\n'), /npm prune --omit=dev/, 'no development packages')
  t.ok(of('COPY').every((line) => line.startsWith('COPY --from=build ')), 'no source in the last stage')
  t.match(of('USER'), [/^USER [1-9]\d*:[1-9]\d*$/], 'a number, and not root')
  t.ok(last.findLastIndex((line) => /^(RUN|COPY) /.test(line)) < last.findIndex((line) => line.startsWith('USER ')), 'that user owns nothing')
  t.match(of('CMD'), [/^CMD \["node", /], 'signals reach the process')
  t.match(of('HEALTHCHECK').join(''), /CMD \["node", .*\/readyz/)
  t.strictSame([...of('ADD', lines), ...of('ENV', lines).filter((line) => /SECRET|TOKEN|PASSWORD/.test(line))], [])
  const sent = read('.dockerignore').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1))
  t.equal(read('.dockerignore').split('\n')[0], '*', 'nothing is sent to the build that is not named')
  const copied = of('COPY', lines).filter((line) => !line.includes('--from=')).flatMap((line) => line.split(' ').slice(1, -1))
  t.strictSame(copied.sort(), sent.sort())
  for (const name of sent) t.ok(existsSync(root + name), name)
  const compose = read('docker-compose.yml').split(/^ {2}mongo:/m)[0]
  for (const promise of ['read_only: true', 'cap_drop: [ALL]', 'no-new-privileges:true']) t.match(compose, promise)
})
