// What a service shows at /metrics, read as Prometheus reads it.
import type { Answer, Call } from './http.ts'
import type { Service } from './service.ts'

export interface ShownSample { name: string, labels: Record<string, string>, value: number }

export interface Metrics {
  answer: Answer
  samples: ShownSample[]
  /** Type and help of each metric, by its name. */
  families: Map<string, { type: string, help: string }>
  /** Sum of the samples of a name that have these labels, and maybe others; undefined if there is none. */
  value: (name: string, labels?: Record<string, string>) => number | undefined
  /** Values of the samples of a name by one label, those that are 0 left out. */
  by: (name: string, label: string) => Record<string, number>
}

export async function readMetrics (service: Pick<Service, 'call'>, { path = '/metrics', ...call }: Call & { path?: string } = {}): Promise<Metrics> {
  const answer = await service.call(path, call)
  if (answer.status !== 200) throw new Error(`/metrics: ${answer.status} ${answer.text}`)
  return parseMetrics(answer)
}

function parseMetrics (answer: Answer): Metrics {
  const samples: ShownSample[] = []
  const families: Metrics['families'] = new Map()
  for (const line of answer.text.split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (kind !== undefined) families.set(name, { type: '', help: '', ...families.get(name), [kind.toLowerCase()]: rest })
    else if (line !== '') samples.push(sampleOf(line))
  }
  const find = (name: string, labels: Record<string, string>): ShownSample[] =>
    samples.filter((sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
  return {
    answer,
    samples,
    families,
    value (name, labels = {}) {
      const found = find(name, labels)
      return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0)
    },
    by (name, label) {
      const sums: Record<string, number> = {}
      for (const { labels, value } of find(name, {})) if (value !== 0) sums[labels[label] as string] = (sums[labels[label] as string] ?? 0) + value
      return sums
    }
  }
}

function sampleOf (line: string): ShownSample {
  const [, name, inside, value] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (name === undefined || value === undefined) throw new Error(`no line of Prometheus' text format: ${line}`)
  const labels = Object.fromEntries([...(inside ?? '').matchAll(/([a-zA-Z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label, text]))
  return { name, labels, value: value === '+Inf' ? Infinity : Number(value) }
}
