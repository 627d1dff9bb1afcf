// What the inks, marks and lines of a chart mean.
import { left, line, right, seriesCount, widthOf, write } from './svg.mjs'

/** Of lines that figures are measured against. */
export const limitStyle = { class: 'limit', 'stroke-width': 1.4, 'stroke-dasharray': '5 3' }

/** What each ink means, in as many lines as it takes. @returns elements and their bottom */
export function legend (series, limit, top, mark) {
  const entries = [
    ...series.map(({ name }, n) => ({ name, drawn: (x, y) => mark(n, x, y) })),
    ...(limit ? [{ name: limit.label, drawn: (x, y) => line(x - 9, y, x + 9, y, limitStyle) }] : [])
  ]
  const body = []
  let x = left
  let y = top + 8
  for (const { name, drawn } of entries) {
    const long = 22 + widthOf(name, 12) + 20
    if (x > left && x + long > right) [x, y] = [left, y + 20]
    body.push(drawn(x + 8, y), write(name, x + 22, y + 4))
    x += long
  }
  return { body, bottom: y + 14 }
}

export function refuseTooMany (series) {
  if (series.length > seriesCount) throw new Error(`a chart tells ${seriesCount} series apart, not ${series.length}`)
}
