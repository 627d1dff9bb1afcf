// Room `meter`: what a scrape shows. A process that is one of several shows the numbers of all of them, each with a label of
// its own: a scrape that met one process and then another would see counters jump, and a sum over processes would fall when
// one of them dies or is late. Many scrapes at a time are one.

/** This process as one of several workers (WORKERS). */
export interface WorkerPlace {
  /** From 1, the label `worker` of its numbers; whoever takes its place has it next. */
  readonly number: number
  /** Has the others shown this text when they ask. */
  showBy: (text: () => Promise<string>) => void
  /** What the others show; whoever is late is left out this time. */
  askOthers: () => Promise<readonly string[]>
}

/**
 * @param own what this process shows, in Prometheus' text format
 * @param place if it is one of several
 */
export function createScrape (own: () => Promise<string>, place?: WorkerPlace): () => Promise<string> {
  const ownOnce = oneAtATime(own)
  if (place === undefined) return ownOnce
  place.showBy(ownOnce)
  return oneAtATime(async () => {
    const [first, others] = await Promise.all([ownOnce(), place.askOthers()])
    return merged([first, ...others])
  })
}

/** Prometheus wants all lines of a metric in one group. */
function merged (texts: readonly string[]): string {
  const groups = new Map<string, string[]>()
  for (const text of texts) {
    for (const group of text.split(/^(?=# HELP )/m)) {
      const [help, type, ...lines] = group.trim().split('\n')
      const header = `${help}\n${type}`
      groups.set(header, [...groups.get(header) ?? [], ...lines])
    }
  }
  return [...groups].map(([header, lines]) => `${[header, ...lines].join('\n')}\n`).join('\n')
}

/** Whoever calls while the work is under way gets the same answer. */
function oneAtATime<T> (work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  return () => (running ??= work().finally(() => { running = undefined }))
}
