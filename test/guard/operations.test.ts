// Guard: docs/operations.md, the dashboard, the alerts and the compose file name things by the words that the running
// service uses, and everything that it shows is explained.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { errorCodes } from '../../src/errors.ts'
import { metricList, type Metric } from '../../src/meter/metric-list.ts'
import { auditEvents } from '../../src/token/audit.ts'
import { readMetrics } from '../helper/metrics.ts'
import { startService } from '../helper/service.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string): string => readFileSync(root + file, 'utf8')
const docs = read('docs/operations.md')
const alerts = read('monitoring/alerts.yml')
const list = metricList as Record<string, Metric>

/** Rows of the table of the page whose first column has this title, cells without backticks. */
function rowsOf (title: string): string[][] {
  const table = docs.split('\n\n').find((part) => part.startsWith(`| ${title} |`))
  return (table ?? '').trim().split('\n').slice(2).map((line) => line.split('|').slice(1, -1).map((cell) => cell.replaceAll('`', '').trim()))
}

/** Name of the metric behind a series: a histogram has three. */
const metricOf = (series: string): string => series in list ? series : series.replace(/_(bucket|sum|count)$/, '')

/** What an expression asks: series with the conditions on their labels. */
function asked (expression: string): { series: string, conditions: [string, string, string][] }[] {
  return [...expression.matchAll(/\b((?:latchkey|process|nodejs)_[a-z0-9_]+)(?:\{([^}]*)\})?/g)].map(([, series = '', inside = '']) => ({
    series,
    conditions: [...inside.matchAll(/([a-z_]+)(=~|!=|!~|=)"([^"]*)"/g)].map(([, label = '', operator = '', value = '']) => [label, operator, value])
  }))
}

/** @returns what an expression names that is not there */
function unknownIn (expression: string, known: Set<string>): string[] {
  const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(',').map((label) => label.trim()))
  return asked(expression).flatMap(({ series, conditions }) => {
    if (!known.has(metricOf(series)) && !known.has(series)) return [series]
    const labels = list[metricOf(series)]?.labels
    if (labels === undefined) return []
    const names = [...conditions.map(([label]) => label), ...grouped].filter((label) => !['instance', 'job', 'le'].includes(label))
    const values = conditions.flatMap(([label, , value]) => value.split('|').filter((one) => {
      const lawful = labels[label]
      return lawful !== undefined && lawful.length > 0 && !lawful.includes(one) && !(label === 'outcome' && errorCodes.includes(one as typeof errorCodes[number]))
    }).map((one) => `${series} ${label}="${one}"`))
    return [...names.filter((label) => !(label in labels)).map((label) => `${series} ${label}`), ...values]
  })
}

const service = await startService(t)
const { families } = await readMetrics(service)
const known = new Set(families.keys())

await t.test('every metric that is shown is explained by the words that it shows, and no other', async (t) => {
  const rows = rowsOf('name')
  t.strictSame(rows.map(([name]) => name), [...known].filter((name) => name.startsWith('latchkey_')))
  for (const [name = '', type, labels = '', meaning, advice] of rows) {
    t.equal(type, families.get(name)?.type, name)
    t.equal(meaning, families.get(name)?.help.replaceAll('`', ''), name)
    t.equal(labels, Object.entries(list[name]?.labels ?? {}).map(([label, values]) => values.length > 0 ? `${label}: ${values.join(', ')}` : label).join('<br>'), name)
    t.match(advice, /\w.*\.$/, `${name}: what to do`)
  }
})

await t.test('names follow Prometheus: only what grows is a total, durations are seconds, no label is Prometheus\' own', async (t) => {
  for (const [name, { type, labels, buckets }] of Object.entries(list)) {
    t.match(name, /^latchkey_[a-z_]+$/)
    t.equal(name.endsWith('_total'), type === 'counter', name)
    if (type === 'histogram') t.ok(name.endsWith('_seconds') && buckets?.every((bound, at) => at === 0 || bound > (buckets[at - 1] as number)), name)
    t.notOk(Object.keys(labels).some((label) => ['job', 'instance', 'le', 'quantile'].includes(label)), name)
  }
})

await t.test('the dashboard asks for what there is, and says what it shows', async (t) => {
  const dashboard = JSON.parse(read('monitoring/grafana/dashboards/latchkey.json'))
  t.match(dashboard, { uid: 'latchkey', title: 'Latchkey', schemaVersion: Number })
  t.strictSame(dashboard.templating.list.map(({ name, type }: Record<string, string>) => `${name} ${type}`), ['datasource datasource', 'instance query'])
  const rows = dashboard.panels.filter(({ type }: { type: string }) => type === 'row').map(({ title }: { title: string }) => title)
  t.strictSame(rows, ['The check', 'Revocations', 'Sign-in and refresh', 'Passwords', 'Stores and breakers', 'Visits', 'Jobs', 'Process'])
  const shown = new Set<string>()
  for (const { type, title, description, datasource, fieldConfig, targets } of dashboard.panels) {
    if (type === 'row') continue
    t.match({ title, description, uid: datasource.uid, unit: fieldConfig.defaults.unit }, { title: /\w/, description: /\w.*\.$/, uid: '${datasource}', unit: /\w/ }, title) // eslint-disable-line no-template-curly-in-string -- Grafana's own
    t.ok(targets.length > 0, title)
    for (const { expr, legendFormat } of targets) {
      t.strictSame(unknownIn(expr, known), [], `${title}: ${expr}`)
      t.match(legendFormat, /\w/, title)
      t.match(expr, 'instance=~"$instance"', `${title} follows the choice of instances`)
      for (const { series } of asked(expr)) shown.add(metricOf(series))
    }
  }
  t.equal(new Set(dashboard.panels.map(({ id }: { id: number }) => id)).size, dashboard.panels.length, 'no two panels are one')
  t.strictSame(Object.keys(list).filter((name) => !shown.has(name)), [], 'every metric has its place')
})

await t.test('the alerts ask for what there is, and the page says what to do about each', async (t) => {
  const names = [...alerts.matchAll(/- alert: (\w+)/g)].map(([, name]) => name)
  t.ok(names.length >= 10)
  t.strictSame(rowsOf('alert').map(([name]) => name), names)
  for (const rule of alerts.split('- alert: ').slice(1)) {
    const [, expression = ''] = /expr: (?:>-\n)?([\s\S]*?)\n {8}(?:for|labels):/.exec(rule) ?? []
    t.ok(expression.length > 0, rule.slice(0, 40))
    t.strictSame(unknownIn(expression, known), [], expression)
    t.match(rule, /severity: (critical|warning)/)
    t.match(rule, /summary: "\S/)
  }
})

await t.test('every event of the audit stream is written somewhere, and explained', async (t) => {
  t.strictSame(rowsOf('event').map(([event]) => event), auditEvents)
  const files = ['src', 'routes'].flatMap((folder) => readdirSync(root + folder, { recursive: true }).map((file) => `${folder}/${String(file)}`))
  const code = files.filter((file) => file.endsWith('.ts') && file !== 'src/token/audit.ts').map(read).join('\n')
  t.strictSame(auditEvents.filter((event) => !code.includes(`audit('${event}'`)), [])
})

await t.test('the page names settings, log lines and files that there are', async (t) => {
  const plugins = readdirSync(`${root}plugins`).map((file) => read(`plugins/${file}`)).join('\n')
  for (const line of ['session checked', 'check refused', 'profile read', 'a job failed']) {
    t.ok(docs.includes(`\`${line}\``) && plugins.includes(line), line)
  }
  const settings = read('docs/configuration.md')
  for (const [, name = ''] of docs.matchAll(/\b([A-Z]{3,}(?:_[A-Z]+)+)\b/g)) t.ok(settings.includes(`\`${name}\``), name)
  for (const [, target = ''] of docs.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) t.ok(existsSync(`${root}docs/${target}`), target)
})

await t.test('the compose file brings Prometheus and Grafana under a profile, on this machine only, with files that there are', async (t) => {
  const compose = read('docker-compose.yml')
  for (const name of ['prometheus', 'grafana']) {
    const service = compose.split(new RegExp(`^ {2}${name}:\\n`, 'm'))[1]?.split(/^ {2}\S|^\S/m)[0] ?? ''
    t.match(service, 'profiles: [monitoring]', name)
    t.match(service, /image: \S+:v?\d+\.\d+/, `${name} is of one version`)
    for (const [, file = ''] of service.matchAll(/- \.\/(monitoring[^:]*):/g)) t.ok(existsSync(root + file), file)
  }
  for (const [, address = ''] of compose.matchAll(/- "([^"]+):\d+:\d+"/g)) t.equal(address, '127.0.0.1')
  t.match(read('monitoring/prometheus.yml'), /rule_files:\n {2}- alerts\.yml/)
  t.match(read('monitoring/prometheus.yml'), 'credentials_file: /run/secrets/metrics_token')
})
