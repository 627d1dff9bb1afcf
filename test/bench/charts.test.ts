// The charts of the bench: what is drawn is what was measured, a renderer that is strict about XML draws it, and nothing of
// it lies outside the sheet.
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { barChart, lineChart, percentileChart } from '../../bench/charts.mjs'

/** Numbers of the attributes of the elements that have a class. */
function drawn (svg: string, name: string, className: string): Array<Record<string, number>> {
  const elements = [...svg.matchAll(new RegExp(`<${name} ([^>]*class="[^"]*\\b${className}\\b[^"]*"[^>]*)/>`, 'g'))]
  return elements.map(([, written = '']) => Object.fromEntries([...written.matchAll(/(\w+)="(-?[\d.]+)"/g)].map(([, key, value]) => [key, Number(value)])))
}
const close = (t: Test, found: number, wanted: number, what: string): void => { t.ok(Math.abs(found - wanted) < 0.05, `${what}: ${found} is ${wanted}`) }

const hostile = '<script>alert("&amp;") & \'more\'</script>\u0001'
const sessions = [1000, 10_000, 100_000, 1_000_000]
const charts = {
  bars: barChart({
    title: 'What a check leaves of a route, in a title that is longer than one line of the sheet can be',
    note: 'Seven rounds of three seconds on a machine with two cores, which is said here at such a length that it needs a second line.',
    axis: 'throughput, share of no check',
    reference: { value: 1, label: 'no check' },
    rows: [
      { label: 'ours', value: 0.8, low: 0.7, high: 1.1, note: '+1.9 µs', ours: true },
      { label: 'an alternative with a name that does not fit into one line', value: 0.4, low: 0.3, high: 0.5, note: '+123.4 µs' },
      { label: hostile, value: 0 }
    ]
  }),
  lines: lineChart({
    title: 'Growth',
    x: 'live sessions',
    panels: [
      { axis: 'latency, ms', limit: { value: 5, label: 'promised' }, series: [{ name: 'flat', points: sessions.map((x) => ({ x, y: 2 })) }, { name: hostile, points: sessions.map((x, n) => ({ x, y: n + 1 })) }] },
      { axis: 'memory, bytes', series: [{ name: 'of a token', points: sessions.map((x) => ({ x, y: 123_456_789 })) }] }
    ]
  }),
  percentiles: percentileChart({
    title: 'Checks while people sign in',
    axis: 'latency, ms',
    groups: ['p50', 'p99', 'p99.9'],
    limit: { value: 5, label: 'promised: 5 ms' },
    series: [{ name: 'nobody signs in', values: [0, 1, 10] }, { name: hostile, values: [2, 20, 99_999] }]
  })
}

await t.test('bars are as long as their values, and a whisker goes from the lowest to the highest round', async (t) => {
  const [ours, theirs, none] = drawn(charts.bars, 'rect', 'bar')
  const [ourWhisker] = drawn(charts.bars, 'line', 'whisker')
  close(t, ours?.['width'] as number, 2 * (theirs?.['width'] as number), 'twice the value')
  t.equal(none?.['width'], 0)
  const unit = (ours?.['width'] as number) / 0.8
  close(t, ourWhisker?.['x1'] as number, ours?.['x'] as number + 0.7 * unit, 'lowest')
  close(t, ourWhisker?.['x2'] as number, ours?.['x'] as number + 1.1 * unit, 'highest')
  const reference = drawn(charts.bars, 'line', 'limit')[0]
  close(t, reference?.['x1'] as number, ours?.['x'] as number + unit, 'the reference')
  t.equal(drawn(charts.bars, 'rect', 'ours').length, 1, 'only ours stands out')
})

await t.test('lines begin at zero, and a factor of ten is the same step everywhere', async (t) => {
  const paths = [...charts.lines.matchAll(/<path class="line line-\d" d="([^"]+)"/g)].map(([, d = '']) => d.slice(1).split('L').map((pair) => pair.split(' ').map(Number) as [number, number]))
  const [flat, rising] = paths as [Array<[number, number]>, Array<[number, number]>]
  const step = (flat[1]?.[0] as number) - (flat[0]?.[0] as number)
  for (const n of [1, 2]) t.ok(Math.abs((flat[n + 1]?.[0] as number) - (flat[n]?.[0] as number) - step) < 0.2)
  t.equal(new Set(flat.map(([, y]) => y)).size, 1, 'what does not grow is level')
  const zero = drawn(charts.lines, 'line', 'axis')[0]?.['y1'] as number
  const unit = zero - (rising[0]?.[1] as number)
  for (const [n, [, y]] of rising.entries()) t.ok(Math.abs(zero - y - unit * (n + 1)) < 0.3, `${n + 1} times as high`)
  t.equal(drawn(charts.lines, 'circle', 'mark').length, sessions.length * 2 + 2, 'each point of a first series has its mark, and so has its name')
})

await t.test('percentiles stand on a logarithmic scale: the same factor is the same height', async (t) => {
  const bars = drawn(charts.percentiles, 'rect', 'bar').map(({ height }) => height as number)
  const [nothing, one, ten, two, twenty] = bars as [number, number, number, number, number]
  t.equal(nothing, 0, 'of nothing there is nothing to see')
  close(t, ten - one, twenty - two, 'ten times')
  t.ok(two > one)
})

for (const [name, svg] of Object.entries(charts)) {
  await t.test(`${name}: whoever cannot see it is told, axes have units, it suits light and dark, and needs nothing from outside`, async (t) => {
    t.match(svg, /^<svg [^>]*role="img" aria-labelledby="title description"/)
    t.match(svg, /<title id="title">\w/)
    t.match(svg, /<desc id="description">[^<]*\d[^<]*<\/desc>/, 'the description holds the figures')
    t.match(svg, /<text[^>]*>(latency, ms|throughput, share of no check)<\/text>/)
    t.match(svg, /@media \(prefers-color-scheme:dark\)/)
    t.notMatch(svg.replace('http://www.w3.org/2000/svg', ''), /https?:|href|url\(|@import|@font-face|<script/)
  })

  await t.test(`${name}: a strict renderer draws it, and nothing lies outside the sheet`, async (t) => {
    const { width, height } = await sharp(Buffer.from(svg)).metadata()
    t.equal(width, 760)
    const wide = svg.replace(/width="\d+" height="\d+" viewBox="0 0 760 (\d+)"/, 'width="1160" height="$1" viewBox="-200 0 1160 $1"')
    const { data } = await sharp(Buffer.from(wide)).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
    let outside = 0
    for (let y = 0; y < height; y++) for (let x = 0; x < 1160; x++) if ((x < 199 || x > 961) && data[(y * 1160 + x) * 4 + 3] !== 0) outside++
    t.equal(outside, 0)
  })

  await t.test(`${name}: a text is a text`, async (t) => {
    t.match(svg, '&lt;script&gt;alert(&quot;&amp;amp;&quot;) &amp; &#39;more&#39;&lt;/script&gt;')
    t.notMatch(svg, '\u0001')
  })
}

await t.test('no numbers are no reason to fail', async (t) => {
  for (const svg of [
    barChart({ title: 'none', axis: 'share', rows: [{ label: 'nothing', value: 0 }] }),
    lineChart({ title: 'none', x: 'sessions', panels: [{ axis: 'ms', series: [{ name: 'nothing', points: [{ x: 1000, y: 0 }] }] }] }),
    percentileChart({ title: 'none', axis: 'ms', groups: ['p50'], series: [{ name: 'nothing', values: [0] }] })
  ]) t.notMatch(svg, /NaN|Infinity|undefined/)
})

await t.test('more series than inks are refused', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e']
  t.throws(() => lineChart({ title: 'five', x: 'sessions', panels: [{ axis: 'ms', series: names.map((name) => ({ name, points: [{ x: 1, y: 1 }] })) }] }), /4 series apart, not 5/)
  t.throws(() => percentileChart({ title: 'five', axis: 'ms', groups: ['p50'], series: names.map((name) => ({ name, values: [1] })) }), /4 series apart, not 5/)
})
