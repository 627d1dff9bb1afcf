// The list of alternatives, what is said of their rounds, and how they are installed: by the lock, without scripts, once.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { alternatives, barsOf, cellsOf, heads, resultOf, type Alternative, type Sample } from '../../bench/alternatives.mjs'
import { installPeers } from '../../bench/install-peers.mjs'

const folder = fileURLToPath(new URL('../../bench/peers', import.meta.url))

await t.test('every server of bench/peers is measured, and every row has a name and a server of its own', async (t) => {
  const servers = readdirSync(folder).filter((file) => file.endsWith('.mjs') && !readFileSync(join(folder, file), 'utf8').includes('\nexport '))
  t.strictSame([...new Set(alternatives.map(({ file }) => `${file}.mjs`)), 'fastify.mjs'].sort(), servers.sort())
  for (const key of ['name', 'what'] as const) t.equal(new Set(alternatives.map((row) => row[key])).size, alternatives.length, key)
  t.equal(new Set(alternatives.map(({ file, variant }) => `${file} ${variant}`)).size, alternatives.length)
  t.equal(alternatives.filter(({ ours }) => ours).every(({ file }) => file === 'latchkey'), true)
})

await t.test('the lock names no registry, runs no scripts, and holds a checksum of everything', async (t) => {
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as { packages: Record<string, { hasInstallScript?: boolean, resolved?: string, integrity?: string }> }
  for (const [name, { hasInstallScript, resolved, integrity }] of Object.entries(packages)) {
    t.equal(hasInstallScript, undefined, `${name} has no install script`)
    t.equal(resolved, undefined)
    if (name !== '') t.ok(integrity, name)
  }
})

const sample = (perSecond: number, cpuMicros: number): Sample => ({ perSecond, cpuMicros, p50: 1, p99: 3 })
const samples = {
  guarded: [sample(5000, 60), sample(4000, 70), sample(6000, 50)],
  unguarded: [sample(8000, 40), sample(8000, 41), sample(8000, 39)],
  reference: [sample(10_000, 20), sample(10_000, 21), sample(10_000, 19)],
  control: [sample(10_100, 20), sample(9900, 20), sample(10_000, 20)]
}
const row = alternatives.find(({ ours }) => ours) as Alternative

await t.test('shares are of the same round, medians, with their spread; CPU is what is above', async (t) => {
  const { share, spread, ofItsOwn, control, cpu, guarded } = resultOf(row, samples, { redis: 1, mongo: 0 })
  t.equal(share, 0.5)
  t.strictSame(spread, [0.4, 0.6])
  t.equal(ofItsOwn.share, 0.625)
  t.equal(control, 1)
  t.strictSame(cpu, { aboveItsOwn: 20, aboveReference: 40 })
  t.equal(guarded.p99, 3)
})

await t.test('a row has a cell for each head, and says so when its run is void', async (t) => {
  const result = resultOf(row, samples, { redis: 1, mongo: 0 })
  t.equal(cellsOf(result).length, heads.length)
  t.strictSame(cellsOf(result).slice(0, 5), [`**${row.what}**`, '0.50', '0.40-0.60', '0.63', '1.00'])
  t.ok(cellsOf(result).includes('+40.0'))
  const noisy = resultOf(row, { ...samples, control: [sample(8000, 20), sample(8000, 20), sample(8000, 20)] }, { redis: 0, mongo: 0 })
  t.match(cellsOf(noisy)[4], /^0\.80 VOID/)
})

await t.test('the chart begins with the fastest and says what each costs above no check', async (t) => {
  const result = resultOf(row, samples, { redis: 1, mongo: 0 })
  const slower = { ...result, what: 'slower', ours: false, share: 0.1, cpu: { aboveItsOwn: 1, aboveReference: 543.21 } }
  t.strictSame(barsOf([slower, result]), [
    { label: row.what, ours: true, value: 0.5, low: 0.4, high: 0.6, note: '+40.0 µs' },
    { label: 'slower', ours: false, value: 0.1, low: 0.4, high: 0.6, note: '+543 µs' }
  ])
})

await t.test('they are installed once, and again when the lock has changed', async (t) => {
  const folder = t.testdir({ 'package-lock.json': '{}' })
  const install = [process.execPath, '-e', "require('fs').mkdirSync('node_modules', { recursive: true }); require('fs').appendFileSync('installs', '+')"]
  const said: string[] = []
  const say = (text: string): void => { said.push(text) }
  t.equal(await installPeers(folder, install, say), true)
  t.match(said, [/^installing/], 'it says so, because it takes a while')
  t.equal(await installPeers(folder, install, say), false)
  writeFileSync(join(folder, 'package-lock.json'), '{"lockfileVersion":3}')
  t.equal(await installPeers(folder, install, say), true)
  t.equal(said.length, 2)
  t.equal(readFileSync(join(folder, 'installs'), 'utf8'), '++')
})

await t.test('what npm said of a failure is passed on, and the next run tries again', async (t) => {
  const folder = t.testdir({ 'package-lock.json': '{}', node_modules: {} })
  await t.rejects(installPeers(folder, [process.execPath, '-e', "console.error('no such registry'); process.exitCode = 7"], () => {}), /ended with 7: no such registry/)
  await t.rejects(installPeers(folder, [join(folder, 'nowhere')], () => {}), { code: 'ENOENT' })
  t.notOk(existsSync(join(folder, 'node_modules/.stamp')))
})
