// The device behind a User-Agent header, as its owner would know it in a list.
import t from 'tap'
import { deviceOf, mostUserAgentLength } from '../../../src/session/device.ts'
import { createRandom } from '../random.ts'

const known: [string, { type: string, os: string | null, browser: string | null }][] = [
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36', { type: 'desktop', os: 'Windows', browser: 'Chrome' }],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15', { type: 'desktop', os: 'macOS', browser: 'Safari' }],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0', { type: 'desktop', os: 'Linux', browser: 'Firefox' }],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1', { type: 'mobile', os: 'iOS', browser: 'Safari' }],
  ['Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1 Mobile/15E148 Safari/604.1', { type: 'tablet', os: 'iOS', browser: 'Safari' }],
  ['Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36', { type: 'mobile', os: 'Android', browser: 'Chrome' }],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0', { type: 'desktop', os: 'Windows', browser: 'Microsoft Edge' }]
]

await t.test('usual devices are named', async (t) => {
  for (const [userAgent, device] of known) t.strictSame(deviceOf(userAgent), device, userAgent)
})

await t.test('a client that says nothing, or nothing known, is an unknown device', async (t) => {
  for (const userAgent of ['', '-', 'my-service/1.0', 'curl/8.5.0', '☕', 'null', '__proto__', 'constructor/1', '(']) {
    t.strictSame(deviceOf(userAgent), { type: 'unknown', os: null, browser: null }, userAgent)
  }
})

await t.test('a device has exactly three names, each a text or null', async (t) => {
  const random = createRandom()
  let wrong: string | undefined
  for (let round = 0; round < 500 && wrong === undefined; round++) {
    const userAgent = random.text('Mozilla/5.0 (;)Windows NTiPhoneAndroid Chrome Safari\u00e9', random.below(200))
    const { type, os, browser, ...more } = deviceOf(userAgent)
    const textOrNull = [os, browser].every((name) => name === null || typeof name === 'string')
    if (typeof type !== 'string' || !textOrNull || Object.keys(more).length > 0) wrong = userAgent
  }
  t.equal(wrong, undefined, `seed ${random.seed}`)
})

await t.test('garbage of any form is judged in bounded time', async (t) => {
  const random = createRandom()
  const garbage = ['x', ' ', '(', ';', '/', 'a/', 'Android ', 'Mozilla/5.0 (', 'Version/1.', 'Opera Mini ', '0.', '\u{1F511}', random.text('abc/;() .0123', 50)].map((text) => text.repeat(10_240 / text.length))
  for (const text of [...garbage, ...known.map(([userAgent]) => userAgent + garbage[5])]) {
    const kept = text.slice(0, mostUserAgentLength)
    let begin = performance.now()
    deviceOf(kept)
    t.ok(performance.now() - begin < 200, `what is kept: ${JSON.stringify(text.slice(0, 20))}`)
    begin = performance.now()
    deviceOf(text)
    t.ok(performance.now() - begin < 1000, `10 KB: ${JSON.stringify(text.slice(0, 20))}`)
  }
})
