// The drawings of docs/diagrams: whoever cannot see them is told, they suit light and dark, need nothing from outside, and
// nothing of them lies outside the sheet.
import { readdirSync, readFileSync } from 'node:fs'
import sharp from 'sharp'
import t from 'tap'
import { pages, root } from './markdown.ts'

const folder = `${root}docs/diagrams/`

for (const name of readdirSync(folder)) {
  const svg = readFileSync(folder + name, 'utf8')

  await t.test(`${name}: it is told in words, suits light and dark, and needs nothing from outside`, async (t) => {
    t.match(svg, /^<svg [^>]*role="img" aria-labelledby="title description"/)
    t.match(svg, /<title id="title">\w/)
    t.match(svg, /<desc id="description">[^<]{100,}<\/desc>/)
    t.match(svg, /@media \(prefers-color-scheme:dark\)/)
    t.notMatch(svg.replace('http://www.w3.org/2000/svg', ''), /https?:|href|url\(|@import|@font-face|<script/)
    t.ok(pages.some(({ links }) => links.includes(`diagrams/${name}`)), 'a page shows it')
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
}
