// Bars that lie: how ours and the alternatives compare.
import { scaleLinear } from 'd3-scale'
import { limitStyle } from './legend.mjs'
import { left, line, right, sheet, tag, widthOf, wrap, write } from './svg.mjs'

/**
 * Bars that lie, one for each row, with a whisker from the lowest to the highest round.
 * @param axis what the bars measure, with its unit
 * @param reference `{ value, label }`: a line that all are measured against
 * @param rows `{ label, value, low, high, note, ours }`; `note` is written behind the value
 * @returns SVG text
 */
export function barChart ({ title, description = '', note, axis, reference, rows }) {
  const behind = rows.map(({ value, note: own }) => own === undefined ? value.toFixed(2) : `${value.toFixed(2)} (${own})`)
  const labels = rows.map(({ label, ours: bold = false }) => wrap(label, 280, 12.5, { bold }))
  const start = left + Math.max(...labels.flat().map((text) => widthOf(text, 12.5, { bold: true }))) + 12
  const highest = Math.max(...rows.flatMap(({ value, high = value }) => [value, high]), reference?.value ?? 0) || 1
  const roomBehind = Math.max(...behind.map((text) => widthOf(text, 12, { bold: true }))) + 10
  const x = scaleLinear([0, highest], [start, right - roomBehind])
  const tall = 30
  const said = rows.map(({ label, value, low = value, high = value }) => `${label}: ${value.toFixed(2)}, from ${low.toFixed(2)} to ${high.toFixed(2)}`).join('; ')
  const draw = (top) => {
    const first = top + (reference ? 16 : 0)
    const bottom = first + rows.length * tall
    const ticks = x.ticks(5)
    const body = [
      ...ticks.map((tick) => line(x(tick), first, x(tick), bottom, { class: 'grid' })),
      ...ticks.map((tick) => write(String(tick), x(tick), bottom + 16, { size: 11.5, ink: 'faint', anchor: 'middle' })),
      write(axis, (start + x.range()[1]) / 2, bottom + 36, { ink: 'faint', anchor: 'middle' }),
      ...(reference ? [line(x(reference.value), first - 4, x(reference.value), bottom, limitStyle), write(reference.label, x(reference.value), first - 9, { size: 11.5, ink: 'faint', anchor: 'end' })] : []),
      ...rows.flatMap((row, n) => bar({ ...row, label: labels[n], behind: behind[n], x, y: first + n * tall, tall })),
      line(start, first, start, bottom, { class: 'axis' })
    ]
    return { body, bottom: bottom + 42 }
  }
  return sheet({ title, description: `${description} ${axis}: ${said}.`.trim(), note, draw })
}

function bar ({ label, behind, value, low = value, high = value, ours = false, x, y, tall }) {
  const middle = y + tall / 2
  const end = x(Math.max(value, high))
  return [
    ...label.map((text, n) => write(text, x(0) - 10, middle + 4.5 + (n - (label.length - 1) / 2) * 13, { size: label.length > 1 ? 11.5 : 12.5, anchor: 'end', bold: ours })),
    tag('rect', { class: ours ? 'bar ours' : 'bar theirs', x: x(0), y: y + 6, width: x(value) - x(0), height: tall - 12, rx: 2 }),
    line(x(low), middle, x(high), middle, { class: 'whisker', 'stroke-width': 1.4 }),
    ...[low, high].map((edge) => line(x(edge), middle - 4, x(edge), middle + 4, { class: 'whisker', 'stroke-width': 1.4 })),
    write(behind, end + 8, middle + 4.5, { ink: 'ink halo', bold: ours })
  ]
}
