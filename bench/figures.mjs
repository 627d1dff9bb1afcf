// What rounds of samples say: medians, shares with their spread, and whether a run counts. Pure.

export function median (numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Figures of one route: medians of its rounds. */
export const figuresOf = (samples) => Object.fromEntries(['perSecond', 'cpuMicros', 'p50', 'p99'].filter((field) => field in samples[0]).map((field) => [field, median(samples.map((sample) => sample[field]))]))

/** The middle half of some numbers: from one quarter of them up to three. */
export function quartiles (numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  return [sorted[sorted.length >> 2], sorted[(sorted.length * 3) >> 2]]
}

/** What a request of one route costs the server above one of another, microseconds of CPU, turn by turn. */
export const addedMicros = (samples, above) => median(samples.map(({ cpuMicros }, turn) => cpuMicros - above[turn].cpuMicros))

/** Throughput of one route as a share of another's, round by round; the spread is all of it, or its middle half where there are many. */
export function shareOf (samples, of) {
  const ratios = samples.map((sample, round) => sample.perSecond / of[round].perSecond)
  return { share: median(ratios), spread: ratios.length < 20 ? [Math.min(...ratios), Math.max(...ratios)] : quartiles(ratios) }
}

/** A control that strays from its twin by more than a tenth makes a run void. */
export const isNoisy = (control) => control < 0.9 || control > 1.1
