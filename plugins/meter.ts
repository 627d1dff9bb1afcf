// Socket: what everything is counted with: prom-client, on a registry of this scope's own, so that neither a host's nor a
// sibling's numbers are touched. The process's own numbers are the exception: their observers can never be taken off again
// (prom-client has no way), so a process has them once, however many scopes open and close in it.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import fp from 'fastify-plugin'
import { createMeter, silentMeter, type Instruments, type Meter } from '../src/meter/meter.ts'
import { metricList, type Metric, type MetricName } from '../src/meter/metric-list.ts'
import type { ScopeOptions } from '../src/scope-options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Counts and times; does nothing with METRICS=off. */
    meter: Meter
  }
}

/** Milliseconds between two looks at how late the event loop is. */
const eventLoopMonitoringPrecision = 20

let processRegistry: Registry | undefined

function numbersOfTheProcess (): Registry {
  if (processRegistry === undefined) {
    processRegistry = new Registry()
    collectDefaultMetrics({ register: processRegistry, eventLoopMonitoringPrecision })
  }
  return processRegistry
}

export default fp<ScopeOptions>(async function meter (scope, { config, clock, worker }) {
  const labels = worker === undefined ? {} : { worker: String(worker.number) }
  scope.decorate('meter', config.metrics ? createMeter(createInstruments(numbersOfTheProcess(), labels), clock, worker) : silentMeter)
}, { name: 'latchkey-meter' })

/** @param labels that every number has */
function createInstruments (ofTheProcess: Registry, labels: Record<string, string>): Instruments {
  const registry = new Registry()
  for (const one of [registry, ofTheProcess]) one.setDefaultLabels(labels)
  const counters = new Map<MetricName, Counter>()
  const gauges = new Map<MetricName, Gauge>()
  const histograms = new Map<MetricName, Histogram>()
  const shown = new Set<Counter | Gauge>()

  for (const [name, { type, help, labels: own, buckets }] of Object.entries(metricList) as [MetricName, Metric][]) {
    const options = { name, help, labelNames: Object.keys(own), registers: [registry] }
    if (type === 'histogram') histograms.set(name, new Histogram({ ...options, buckets: [...buckets ?? []] }))
    else if (type === 'gauge') gauges.set(name, without(new Gauge(options)))
    else {
      const counter = new Counter(options)
      for (const known of combinationsOf(own)) counter.inc(known, 0)
      counters.set(name, counter)
    }
  }

  return {
    add (name, labels, by) { counters.get(name)?.inc(labels, by) },
    observe (name, labels, seconds) { histograms.get(name)?.observe(labels, seconds) },
    show (samples) {
      for (const metric of shown) metric instanceof Gauge ? without(metric) : metric.reset()
      for (const { name, labels, value } of samples) {
        const [gauge, counter] = [gauges.get(name), counters.get(name)]
        if (counter !== undefined && !shown.has(counter)) counter.reset() // it stood at 0
        gauge?.set(labels, value)
        counter?.inc(labels, value)
        shown.add((gauge ?? counter) as Counter | Gauge)
      }
    },
    text: async () => `${await registry.metrics()}\n${await ofTheProcess.metrics()}`,
    contentType: registry.contentType
  }
}

/** A gauge that shows nothing: prom-client's own `reset` would have it show 0. */
function without (gauge: Gauge): Gauge {
  gauge.reset()
  gauge.remove({})
  return gauge
}

/** Every combination of the values that labels are known to have. */
function combinationsOf (labels: Metric['labels']): Record<string, string>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>((all, [label, values]) =>
    all.flatMap((one) => values.map((value) => ({ ...one, [label]: value }))), [{}])
}
