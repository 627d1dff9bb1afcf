// What rounds of samples say: medians, shares with their spread, and whether a run counts. Pure.

export function median (numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Figures of one route: medians of its rounds. */
export const figuresOf = (samples) => Object.fromEntries(['perSecond', 'cpuMicros', 'p50', 'p99'].map((field) => [field, median(samples.map((sample) => sample[field]))]))

/** Throughput of one route as a share of another's, round by round. */
export function shareOf (samples, of) {
  const ratios = samples.map((sample, round) => sample.perSecond / of[round].perSecond)
  return { share: median(ratios), spread: [Math.min(...ratios), Math.max(...ratios)] }
}

/** A control that strays from its twin by more than a tenth makes a run void. */
export const isNoisy = (control) => control < 0.9 || control > 1.1
