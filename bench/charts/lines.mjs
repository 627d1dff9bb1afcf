// Lines: how figures grow with the number of sessions.
import { scaleLinear, scaleLog } from 'd3-scale'
import { legend, limitStyle, refuseTooMany } from './legend.mjs'
import { left, line, right, sheet, short, tag, write } from './svg.mjs'

const marks = [
  (attributes, x, y) => tag('circle', { ...attributes, cx: x, cy: y, r: 4 }),
  (attributes, x, y) => tag('rect', { ...attributes, x: x - 3.75, y: y - 3.75, width: 7.5, height: 7.5 }),
  (attributes, x, y) => tag('path', { ...attributes, d: `M${x - 4.6} ${y + 3.8}h9.2l-4.6 -8z` }),
  (attributes, x, y) => tag('path', { ...attributes, d: `M${x} ${y - 5}l5 5l-5 5l-5 -5z` })
]
const markOf = (n, x, y) => marks[n]({ class: `mark fill-${n}` }, Math.round(x * 100) / 100, Math.round(y * 100) / 100)

/**
 * Lines over a logarithmic x, in one panel for each unit, one below the other.
 * @param x label of the common axis, with its unit
 * @param panels `{ axis, series: [{ name, points: [{ x, y }] }], limit: { value, label } }`; y begins at zero
 * @returns SVG text
 */
export function lineChart ({ title, description = '', note, x: label, panels }) {
  const all = panels.flatMap(({ series }) => series)
  for (const { series } of panels) refuseTooMany(series)
  const xs = [...new Set(all.flatMap(({ points }) => points.map((point) => point.x)))].sort((a, b) => a - b)
  const start = left + 46
  const x = scaleLog([xs[0], xs.length > 1 ? xs.at(-1) : xs[0] * 10], [start + 14, right - 24])
  const draw = (top) => {
    const body = []
    let y = top
    for (const panel of panels) {
      const drawn = drawPanel({ ...panel, x, xs, start, top: y })
      body.push(...drawn.body)
      y = drawn.bottom + 30
    }
    body.push(write(label, (start + right) / 2, y + 4, { ink: 'faint', anchor: 'middle' }))
    return { body, bottom: y + 12 }
  }
  const said = panels.map(({ axis, series }) => `${axis}: ${series.map(({ name, points }) => `${name} ${points.map((point) => `${short(point.y)} at ${short(point.x)}`).join(', ')}`).join('; ')}`).join('. ')
  return sheet({ title, description: `${description} ${said}.`.trim(), note, draw })
}

function drawPanel ({ axis, series, limit, x, xs, start, top }) {
  const names = legend(series, limit, top + 22, markOf)
  const [high, low] = [names.bottom + 6, names.bottom + 136]
  const values = series.flatMap(({ points }) => points.map((point) => point.y))
  const y = scaleLinear([0, Math.max(...values, limit?.value ?? 0) || 1], [low, high]).nice(4)
  const ticks = y.ticks(4)
  const body = [
    write(axis, left, top + 12, { size: 12.5, bold: true }),
    ...names.body,
    ...ticks.flatMap((tick) => [line(start, y(tick), right, y(tick), { class: tick === 0 ? 'axis' : 'grid' }), write(short(tick), start - 8, y(tick) + 4, { size: 11.5, ink: 'faint', anchor: 'end' })]),
    ...xs.map((at) => write(short(at), x(at), low + 17, { size: 11.5, ink: 'faint', anchor: 'middle' }))
  ]
  if (limit) body.push(line(start, y(limit.value), right, y(limit.value), limitStyle))
  for (const [n, { points }] of series.entries()) {
    const path = points.map((point, i) => `${i === 0 ? 'M' : 'L'}${x(point.x).toFixed(1)} ${y(point.y).toFixed(1)}`).join('')
    body.push(tag('path', { class: `line line-${n}`, d: path, fill: 'none', 'stroke-width': 2 }), ...points.map((point) => markOf(n, x(point.x), y(point.y))))
  }
  return { body, bottom: low }
}
