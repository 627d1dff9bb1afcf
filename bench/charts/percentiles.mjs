// Bars that stand in groups: percentiles of several situations.
import { scaleBand, scaleLog } from 'd3-scale'
import { legend, limitStyle, refuseTooMany } from './legend.mjs'
import { left, line, right, sheet, short, tag, widthOf, write } from './svg.mjs'

/** Ticks of a logarithmic scale: the powers of ten, and 2 and 5 of each where there is room. */
function logTicks (scale) {
  const [low, high] = scale.domain()
  const steps = high / low < 1000 ? [1, 2, 5] : [1]
  const ticks = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) for (const step of steps) ticks.push(Number(`${step}e${power}`))
  return ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001)
}

/**
 * Bars that stand in groups, on a logarithmic scale: the same percentiles of several situations.
 * @param axis what the bars measure, with its unit
 * @param groups names of the groups, such as `p50`
 * @param series `{ name, values }`, one value for each group
 * @param limit `{ value, label }`: a line that they are to stay under
 * @returns SVG text
 */
export function percentileChart ({ title, description = '', note, axis, groups, series, limit }) {
  refuseTooMany(series)
  const values = series.flatMap((one) => one.values)
  const seen = [...values, limit?.value ?? 0].filter((value) => value > 0)
  const positive = seen.length > 0 ? seen : [1]
  const bottomOfScale = 10 ** Math.floor(Math.log10(Math.min(...positive) / 1.2))
  const start = left + 46
  const group = scaleBand(groups, [start, right]).paddingInner(0.18).paddingOuter(0.09)
  const place = scaleBand(series.map((_, n) => n), [0, group.bandwidth()]).paddingInner(0.12)
  const size = Math.min(11.5, place.step() / Math.max(...values.map((value) => widthOf(short(value), 1))))
  const draw = (top) => {
    const names = legend(series, limit, top, (n, x, y) => tag('rect', { class: `fill-${n}`, x: x - 6, y: y - 6, width: 12, height: 12, rx: 2 }))
    const [high, low] = [names.bottom + 30, names.bottom + 270]
    const y = scaleLog([bottomOfScale, Math.max(...positive) * 1.05], [low, high])
    const body = [
      write(axis, left, names.bottom + 14, { ink: 'faint' }),
      ...names.body,
      ...logTicks(y).flatMap((tick) => [line(start, y(tick), right, y(tick), { class: 'grid' }), write(short(tick), start - 8, y(tick) + 4, { size: 11.5, ink: 'faint', anchor: 'end' })]),
      ...groups.map((name) => write(name, group(name) + group.bandwidth() / 2, low + 18, { bold: true, anchor: 'middle' }))
    ]
    const bars = series.flatMap(({ values: own }, n) => own.map((value, g) => ({ n, value, x: group(groups[g]) + place(n), top: value > bottomOfScale ? y(value) : low })))
    body.push(
      ...bars.map(({ n, x, top: high }) => tag('rect', { class: `bar fill-${n}`, x, y: high, width: place.bandwidth(), height: low - high, rx: 2 })),
      line(start, low, right, low, { class: 'axis' }),
      ...(limit ? [line(start, y(limit.value), right, y(limit.value), limitStyle)] : []),
      ...bars.map(({ value, x, top: high }) => write(short(value), x + place.bandwidth() / 2, high - 6, { size, ink: 'ink halo', anchor: 'middle' }))
    )
    return { body, bottom: low + 28 }
  }
  const said = series.map(({ name, values: own }) => `${name}: ${own.map((value, g) => `${groups[g]} ${short(value)}`).join(', ')}`).join('; ')
  return sheet({ title, description: `${description} ${axis}: ${said}.`.trim(), note, draw })
}
