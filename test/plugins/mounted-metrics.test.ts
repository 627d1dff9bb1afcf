// Metrics in somebody else's app: the host's own registry and its logger stay as they are, and siblings count apart.
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { Counter, register as hostRegistry } from 'prom-client'
import t, { type Test } from 'tap'
import latchkey from '../../src/index.ts'
import { callHttp } from '../helper/http.ts'
import { readMetrics, type Metrics } from '../helper/metrics.ts'
import { newPerson } from '../helper/people.ts'
import { scratchFolder } from '../helper/scratch.ts'

/** Listens, and sees what is mounted under a prefix as a service. */
async function listen (t: Test, app: FastifyInstance): Promise<(prefix: string) => { metrics: () => Promise<Metrics>, join: () => Promise<number> }> {
  t.teardown(async () => { await app.close() })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (prefix) => ({
    metrics: () => readMetrics({ call: (path, call) => callHttp(app.listeningOrigin, path, call) }, { path: `${prefix}/metrics` }),
    join: async () => (await callHttp(app.listeningOrigin, `${prefix}/api/auth/register`, { method: 'POST', body: newPerson() })).status
  })
}

await t.test('a host that counts by the same library, and even by the same name, keeps its numbers', async (t) => {
  const own = new Counter({ name: 'latchkey_registrations_total', help: 'The host\'s own.' })
  own.inc(42)
  const app = Fastify()
  await app.register(latchkey, { dataDir: scratchFolder(t), nodeEnv: 'test', bcryptCost: 10, prefix: '/auth' })
  app.get('/metrics', async () => await hostRegistry.metrics())
  const mounted = (await listen(t, app))('/auth')
  t.equal(await mounted.join(), 201)
  t.equal((await mounted.metrics()).value('latchkey_registrations_total'), 1)
  t.equal((await app.inject('/metrics')).body.trim(), '# HELP latchkey_registrations_total The host\'s own.\n# TYPE latchkey_registrations_total counter\nlatchkey_registrations_total 42', 'and has none of ours')
})

await t.test('siblings count apart, and one that was closed and mounted again begins at 0', async (t) => {
  const folders = [scratchFolder(t), scratchFolder(t)]
  const build = async () => {
    const app = Fastify()
    for (const [at, dataDir] of folders.entries()) {
      await app.register(async (scope) => { await scope.register(latchkey, { dataDir, nodeEnv: 'test', bcryptCost: 10, prefix: '/auth' }) }, { prefix: `/${at}` })
    }
    return app
  }
  const first = await build()
  const at = await listen(t, first)
  for (let times = 0; times < 2; times++) t.equal(await at('/0/auth').join(), 201)
  t.equal(await at('/1/auth').join(), 201)
  const counted = async (mounted: typeof at) => await Promise.all(['/0/auth', '/1/auth'].map(async (prefix) => (await mounted(prefix).metrics()).value('latchkey_registrations_total', { outcome: 'ok' })))
  t.strictSame(await counted(at), [2, 1])
  const shown = await at('/0/auth').metrics()
  t.equal(shown.samples.filter(({ name }) => name === 'process_start_time_seconds').length, 1, 'the process shows its numbers once')
  await first.close()
  t.strictSame(await counted(await listen(t, await build())), [0, 0])
})

await t.test('a host\'s logger that knows no levels and no streams gets the lines as it is', async (t) => {
  const lines: unknown[][] = []
  const note = (...args: unknown[]) => { lines.push(args) }
  const plain = { level: 'info', info: note, warn: note, error: note, fatal: note, debug () {}, trace () {}, silent () {}, child: () => plain } as FastifyBaseLogger
  const app = Fastify({ loggerInstance: plain })
  await app.register(latchkey, { dataDir: scratchFolder(t), nodeEnv: 'test', bcryptCost: 10 })
  const mounted = (await listen(t, app as unknown as FastifyInstance))('')
  t.equal(await mounted.join(), 201)
  t.equal(lines.filter(([line, text]) => text === 'security event' && (line as { event: string }).event === 'registered').length, 1)
})
