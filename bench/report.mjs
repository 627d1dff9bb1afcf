// The pages and charts of docs/performance: what a part of the benchmark printed, with the command and the machine, and the
// same figures as drawings.
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { barsOf } from './alternatives.mjs'
import { barChart, lineChart, percentileChart } from './charts.mjs'

const folder = fileURLToPath(new URL('../docs/performance/', import.meta.url))

export const machine = () => `${os.cpus().length} x ${os.cpus()[0].model}, Node ${process.version}, Redis, MongoDB's own engine, the client and the server on the same machine`

const charts = {
  check: (rows) => ({
    'check.svg': barChart({
      title: 'What is left of a route\'s throughput when each request is checked',
      axis: 'share of the same app\'s unguarded route',
      reference: { value: 1, label: 'no check' },
      note: machine(),
      rows: rows.map(({ name, share, spread: [low, high], addedMicros }) => ({ label: name, value: share, low, high, note: `+${addedMicros.toFixed(1)} µs`, ours: true }))
    })
  }),
  peers: (results) => results.length === 0
    ? {}
    : {
        'alternatives.svg': barChart({
          title: 'Checked requests a second, beside the alternatives',
          axis: 'share of a Fastify route without any check',
          reference: { value: 1, label: 'no check' },
          note: machine(),
          rows: barsOf(results)
        })
      },
  storm: ({ calm, during }) => ({
    'storm.svg': percentileChart({
      title: 'Checks while 200 people sign in (cost 12, one core, 5,000 checks a second)',
      axis: 'milliseconds',
      groups: ['p50', 'p90', 'p99', 'p99.9'],
      series: [['alone', calm], ['during the storm', during]].map(([name, row]) => ({ name, values: [row.p50, row.p90, row.p99, row.p99_9].map((ms) => Math.max(ms, 0.5)) })),
      limit: { value: 5, label: 'bound of p99' }
    })
  }),
  growth: ({ rows }) => ({
    'growth.svg': lineChart({
      title: 'Doors and start-up with a thousand to a million live sessions',
      x: 'live sessions',
      panels: [
        { axis: 'median of a door, ms', series: [['check', 'check'], ['refresh', 'refresh'], ['list of devices', 'list'], ['health', 'health']].map(([name, field]) => ({ name, points: rows.map((row) => ({ x: row.sessions, y: row[field] })) })) },
        { axis: 'start-up, ms', series: [{ name: 'start-up', points: rows.map((row) => ({ x: row.sessions, y: row.startMs })) }] }
      ]
    })
  })
}

/** @param lines what the part printed; `command` makes the page again */
export function writePage (part, lines, result, command) {
  mkdirSync(folder, { recursive: true })
  const drawn = Object.entries(charts[part]?.(result) ?? {})
  for (const [file, svg] of drawn) writeFileSync(folder + file, svg)
  const [title = `## ${part}`, ...rest] = lines.join('\n').trim().split('\n')
  const page = [
    title.replace(/^##/, '#'),
    '',
    `Written by \`${command}\` on ${new Date().toISOString().slice(0, 10)}: ${machine()}.`,
    ...drawn.flatMap(([file]) => ['', `![${title.replace(/^#+ /, '')}](${file})`]),
    '',
    rest.join('\n').trim(),
    ''
  ]
  writeFileSync(`${folder}${part}.md`, page.join('\n'))
}
