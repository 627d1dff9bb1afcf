// What the charts share: elements as text, and the sheet that they are drawn on. A sheet has its own background and inks for
// light and dark, a title and a description that are read aloud, the system's own font, and refers to nothing outside.
// Widths of texts are not known here, so they are taken to be those of a wide font.
export const width = 760

const inks = {
  light: { paper: '#ffffff', ink: '#1f2328', faint: '#59636e', grid: '#d8dee4', ours: '#0f766e', theirs: '#8c9bab', series: ['#0072b2', '#c2410c', '#0f766e', '#8e4585'] },
  dark: { paper: '#0d1117', ink: '#e6edf3', faint: '#9aa4af', grid: '#30363d', ours: '#2dd4bf', theirs: '#6b7885', series: ['#56b4e9', '#fb923c', '#2dd4bf', '#d8a0d0'] }
}

export const left = 24
export const right = width - left

/** How many series have an ink and a mark of their own. */
export const seriesCount = inks.light.series.length

const styleOf = ({ paper, ink, faint, grid, ours, theirs, series }) => [
  `.paper{fill:${paper}}.halo{stroke:${paper};stroke-width:3;paint-order:stroke}.ink{fill:${ink}}.faint{fill:${faint}}.grid{stroke:${grid}}.axis,.whisker,.limit{stroke:${ink}}`,
  `.ours{fill:${ours}}.theirs{fill:${theirs}}`,
  ...series.map((color, n) => `.fill-${n}{fill:${color}}.line-${n}{stroke:${color}}`)
].join('')
const style = `text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}${styleOf(inks.light)}@media (prefers-color-scheme:dark){${styleOf(inks.dark)}}`

const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
// eslint-disable-next-line no-control-regex -- XML has no way to write these
const escape = (text) => String(text).replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '').replace(/[&<>"']/g, (character) => entities[character])

/** @param content elements made before, as they are */
export function tag (name, attributes, ...content) {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(typeof value === 'number' ? Math.round(value * 100) / 100 : value)}"`).join('')
  return content.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${content.join('')}</${name}>`
}

/** A line of text, escaped. */
export const write = (text, x, y, { size = 12, ink = 'ink', anchor = 'start', bold = false } = {}) => tag('text', { x, y, class: ink, 'font-size': size, 'text-anchor': anchor, ...(bold && { 'font-weight': 600 }) }, escape(text))
export const line = (x1, y1, x2, y2, attributes) => tag('line', { x1, y1, x2, y2, ...attributes })
export const widthOf = (text, size, { bold = false } = {}) => String(text).length * size * (bold ? 0.6 : 0.54)

/** 1000 is `1k`: three digits that count, and a thousand or a million as a letter. */
export function short (value) {
  const [unit, letter] = Math.abs(value) >= 999_500 ? [1e6, 'M'] : Math.abs(value) >= 9995 || (value >= 1000 && value % 1000 === 0) ? [1000, 'k'] : [1, '']
  return `${Number((value / unit).toPrecision(3))}${letter}`
}

/** Breaks a text between words. @param room pixels that a line may take */
export function wrap (text, room, size, weight) {
  const lines = []
  for (const word of String(text).split(/\s+/)) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`
    if (lines.length > 0 && widthOf(longer, size, weight) <= room) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

/**
 * A sheet with a title above a drawing and a note below it.
 * @param description said to those who cannot see the drawing
 * @param draw takes the top of the drawing in pixels, returns its elements and its bottom
 * @returns SVG text
 */
export function sheet ({ title, description, note = '', draw }) {
  const room = right - left
  const heads = wrap(title, room, 17, { bold: true })
  const { body, bottom } = draw(28 + heads.length * 22)
  const notes = note === '' ? [] : wrap(note, room, 11.5)
  const height = bottom + (notes.length > 0 ? 12 : 0) + notes.length * 16 + 14
  return tag('svg', { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-labelledby': 'title description' },
    tag('title', { id: 'title' }, escape(title)),
    tag('desc', { id: 'description' }, escape(description)),
    tag('style', {}, style),
    tag('rect', { class: 'paper', width, height, rx: 6 }),
    ...heads.map((text, n) => write(text, left, 34 + n * 22, { size: 17, bold: true })),
    ...body,
    ...notes.map((text, n) => write(text, left, bottom + 24 + n * 16, { size: 11.5, ink: 'faint' }))
  ) + '\n'
}
