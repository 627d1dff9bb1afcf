// Door: metrics and health of a process that is one of several. What each of them shows has its number, and whoever is asked
// shows what all of them have; one that is late is left out.
import t, { type Test } from 'tap'
import type { WorkerPlace } from '../../src/meter/scrape.ts'
import { readMetrics } from '../helper/metrics.ts'
import { createDeployment, startService, type Service } from '../helper/service.ts'

/** Places of two that hear each other without a process between them. */
function createPlaces (): [WorkerPlace, WorkerPlace] {
  const shows: (() => Promise<string>)[] = []
  const place = (number: number): WorkerPlace => ({
    number,
    showBy (text) { shows[number] = text },
    askOthers: async () => [await shows[3 - number]?.() ?? []].flat()
  })
  return [place(1), place(2)]
}

const start = (t: Test, worker: WorkerPlace, env: Record<string, string> = {}): Promise<Service> => startService(t, { worker, env, deployment: createDeployment(t) })

await t.test('whoever is asked, every number of both is shown once, with the number of its worker', async (t) => {
  const [one, two] = createPlaces()
  const pair = [await start(t, one), await start(t, two)] as const
  for (const [asks, service] of pair.entries()) for (let i = 0; i <= asks; i++) await service.get('/api/protected', { token: 'rubbish' })
  for (const service of pair) {
    const { samples, families, value, answer } = await readMetrics(service)
    t.match(answer.headers['content-type'], 'text/plain; version=0.0.4')
    t.strictSame(['1', '2'].map((worker) => value('latchkey_checks_total', { worker, result: 'token_invalid' })), [1, 2])
    const series = samples.filter(({ name }) => name.startsWith('latchkey_')).map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`) // here the process's own are one's
    t.equal(new Set(series).size, series.length, 'no series twice')
    t.strictSame(samples.filter(({ labels }) => labels['worker'] === undefined), [])
    const groups = [...answer.text.matchAll(/^# HELP (\S+)/gm)].map(([, name]) => name)
    t.strictSame(groups, [...families.keys()], 'each metric is one group')
    for (const group of answer.text.split(/^(?=# HELP )/m)) {
      const name = /^# HELP (\S+)/.exec(group)?.[1] ?? ''
      t.ok(group.split('\n').slice(2).every((line) => line === '' || line.startsWith(name)), `${name} has its own lines alone`)
    }
  }
})

await t.test('one that shows nothing in time is left out', async (t) => {
  const [one] = createPlaces()
  const service = await start(t, { ...one, askOthers: async () => [] })
  const { samples } = await readMetrics(service)
  t.strictSame([...new Set(samples.map(({ labels }) => labels['worker']))], ['1'])
})

await t.test('without metrics nothing is shown to the others either', async (t) => {
  const [one, two] = createPlaces()
  await start(t, one, { METRICS: 'off' })
  t.strictSame(await two.askOthers(), [])
})

await t.test('the detail of health says whose it is, to whom it is shown', async (t) => {
  const [one, two] = createPlaces()
  const [shown, hidden] = [await start(t, one), await start(t, two, { METRICS_TOKEN: 'a-token-of-more-than-sixteen' })]
  t.match((await shown.get('/api/auth/health')).json, { worker: 1, uptime: Number })
  t.strictSame(Object.keys((await hidden.get('/api/auth/health')).json).sort(), ['mongo', 'redis', 'sessionStats', 'status'])
  t.match((await hidden.get('/api/auth/health', { token: 'a-token-of-more-than-sixteen' })).json, { worker: 2 })
})

await t.test('its log lines have its number', async (t) => {
  const service = await start(t, createPlaces()[1])
  t.ok(service.logs.length > 0)
  t.strictSame(service.logs.filter(({ worker, pid, hostname }) => worker !== 2 || pid !== process.pid || typeof hostname !== 'string'), [])
})
