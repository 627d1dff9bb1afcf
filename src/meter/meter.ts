// Room `meter`: what sockets count, time and show with. Numbers are added where things happen and read when somebody
// scrapes; a scrape waits for no store longer than it says, and many scrapes at a time are one.
import { within, type Clock } from '../clock.ts'
import { measured, type Outcome, type Report } from './measured.ts'
import type { CounterName, HistogramName, LabelsOf, MetricName } from './metric-list.ts'
import { createScrape, type WorkerPlace } from './scrape.ts'

/** One number of one metric. */
export interface Sample { readonly name: MetricName, readonly labels: Readonly<Record<string, string>>, readonly value: number }

export const sample = <N extends MetricName>(name: N, labels: LabelsOf<N>, value: number | boolean): Sample =>
  ({ name, labels: plain(labels), value: Number(value) })

/** The compiler cannot see it of a metric that it does not know: every value of a label is text. */
const plain = (labels: object): Sample['labels'] => labels as Sample['labels']

export interface SessionStatistics { readonly activeSessions: number, readonly cachedProfiles: number, readonly blacklistedTokens: number }

export interface Meter {
  /** Whether anything is counted at all. */
  readonly isOn: boolean
  add: <N extends CounterName>(name: N, labels: LabelsOf<N>, by?: number) => void
  /** @param seconds what was measured; what is no duration is passed over */
  observe: <N extends HistogramName>(name: N, labels: LabelsOf<N>, seconds: number) => void
  /** Has numbers read at each scrape. A reader that takes longer than `readMs`, or fails, shows nothing that time. */
  read: (reader: () => readonly Sample[] | Promise<readonly Sample[]>) => void
  /** The target with its promises timed; the target itself where nothing is counted. */
  timed: <T extends object>(target: T, report: Report) => T
  /** The same for what asks a store. @param name begins the names of its operations */
  timedStore: <T extends object>(store: 'redis' | 'mongo', name: string, target: T) => T
  /** Shows a breaker under a name. @returns it */
  breaker: <B extends { isOpen: () => boolean }>(name: LabelsOf<'latchkey_breaker_open'>['breaker'], breaker: B) => B
  /** A run of a job has ended. */
  jobRan: (job: string, seconds: number, outcome: Outcome) => void
  /** What a run has done, such as 3 of kind `users_archived`. */
  jobItems: (job: string, kind: string, count: number) => void
  /** Says who knows the numbers of sessions; called at each scrape, see `read`. */
  statistics: (read: () => Promise<SessionStatistics>) => void
  /** Everything as text, of this content type. */
  scrape: () => Promise<string>
  readonly contentType: string
}

/** What numbers are written down with. */
export interface Instruments {
  add: (name: CounterName, labels: Sample['labels'], by: number) => void
  observe: (name: HistogramName, labels: Sample['labels'], seconds: number) => void
  /** These are the numbers of their metrics; what was shown before is gone. */
  show: (samples: readonly Sample[]) => void
  text: () => Promise<string>
  readonly contentType: string
}

/** Milliseconds that a reader is given: with what the rest takes, a scrape stays below a second. */
export const readMs = 500

/** @param place if this process is one of several */
export function createMeter (instruments: Instruments, clock: Clock, place?: WorkerPlace): Meter {
  const readers: (() => readonly Sample[] | Promise<readonly Sample[]>)[] = []

  async function readInTime (reader: typeof readers[number]): Promise<readonly Sample[]> {
    try {
      const reading = reader()
      return reading instanceof Promise ? await within(readMs, reading, () => []) : reading
    } catch {
      return []
    }
  }

  async function readAll (): Promise<string> {
    const readings = await Promise.all(readers.map(readInTime))
    instruments.show(readings.flat())
    return await instruments.text()
  }

  const timed = <T extends object>(target: T, report: Report): T => measured(target, clock, report)

  return {
    isOn: true,
    add (name, labels, by = 1) { instruments.add(name, plain(labels), by) },
    observe (name, labels, seconds) {
      if (seconds >= 0) instruments.observe(name, plain(labels), seconds)
    },
    read (reader) { readers.push(reader) },
    timed,
    timedStore: (store, name, target) => timed(target, (method, seconds, outcome) => {
      const labels = { store, operation: `${name}.${method}` }
      instruments.observe('latchkey_store_seconds', labels, seconds)
      if (outcome === 'unavailable' || outcome === 'internal_error') instruments.add('latchkey_store_failures_total', labels, 1)
    }),
    breaker (name, breaker) {
      readers.push(() => [sample('latchkey_breaker_open', { breaker: name }, breaker.isOpen())])
      return breaker
    },
    jobRan (job, seconds, outcome) {
      instruments.add('latchkey_job_runs_total', { job_name: job, outcome }, 1)
      instruments.observe('latchkey_job_seconds', { job_name: job }, seconds)
    },
    jobItems (job, kind, count) { instruments.add('latchkey_job_items_total', { job_name: job, kind }, count) },
    statistics (read) {
      readers.push(async () => {
        const { activeSessions, cachedProfiles, blacklistedTokens } = await read()
        return [
          sample('latchkey_active_sessions', {}, activeSessions),
          sample('latchkey_cached_profiles', {}, cachedProfiles),
          sample('latchkey_blacklisted_tokens', {}, blacklistedTokens)
        ]
      })
    },
    scrape: createScrape(readAll, place),
    contentType: instruments.contentType
  }
}

/** Counts nothing and wraps nothing. */
export const silentMeter: Meter = Object.freeze({
  isOn: false,
  add () { /* nobody counts */ },
  observe () { /* nobody counts */ },
  read () { /* nobody reads */ },
  timed: <T extends object>(target: T) => target,
  timedStore: <T extends object>(_store: string, _name: string, target: T) => target,
  breaker: <B>(_name: string, breaker: B) => breaker,
  jobRan () { /* nobody counts */ },
  jobItems () { /* nobody counts */ },
  statistics () { /* nobody reads */ },
  scrape: async () => '',
  contentType: 'text/plain'
})
