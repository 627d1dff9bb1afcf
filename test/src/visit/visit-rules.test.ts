// What a visit is and when it runs: edges of time, the forms of ids and cursors, and what a visitor gets to see.
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { LatchkeyError } from '../../../src/errors.ts'
import { parseTimeCursor, timeCursor } from '../../../src/schemas/time-cursor.ts'
import { entryOf, isIdle, newVisitId, newVisitorId, parseVisitor, shown, sliceOf, visitorText, type EntryKind, type VisitView } from '../../../src/visit/visit-rules.ts'

const start = 1_800_000_000_000
const encode = (text: string): string => Buffer.from(text).toString('base64url')

const viewOf = (counts: Partial<VisitView> = {}): VisitView =>
  ({ id: newVisitId(randomBytes), startTime: new Date(start), endTime: null, pageCount: 0, actionCount: 0, entries: [], ...counts })

/** A view of a visit with so many pages and actions, with the part of the list that a client asks for. */
function lookAt (pageCount: number, actionCount: number, kind: EntryKind, limit: number, cursor?: string) {
  const slice = sliceOf({ kind, limit, cursor })
  const all = Array.from({ length: kind === 'page' ? pageCount : actionCount }, (_, at) => entryOf({ kind: 'page', pageId: `${kind}-${at}` }, `id-${at}`, start))
  return shown(viewOf({ pageCount, actionCount, entries: all.slice(slice.offset, slice.offset + slice.limit) }), slice, start)
}

/** Texts that are no cursors of this service, or of another list of it. */
const noCursors = [
  '', ' ', 'x', 'at:5', '-1', '0', 'null', '%', '\0', '__proto__', 'ä', 'x'.repeat(100_000), encode(''), encode('at:'), encode('at'), encode('5'), encode(' at:5'), encode('at:5 '), encode('at:5\n'), encode('\nat:5'),
  encode('at: 5'), encode('at:+5'), encode('at:-1'), encode('at:05'), encode('at:00'), encode('at:5.0'), encode('at:5e3'), encode('at:0x5'), encode('at:NaN'), encode('at:Infinity'), encode('at:12345678'), encode('AT:5'), encode('at:٥'),
  encode('at:5\0'), encode('at:5at:5'), encode('{"at":5}'), encode(`at:${'9'.repeat(400)}`), Buffer.from([0xff, 0xfe, 0x61]).toString('base64url')
]

/** Runs what must refuse a cursor. */
function refuses (t: Test, run: () => unknown, text: string): void {
  const name = JSON.stringify(text.slice(0, 60))
  try {
    run()
    t.ok(false, `${name} is taken for a cursor`)
  } catch (error) {
    t.ok(error instanceof LatchkeyError, name)
    const { code, statusCode, extras, message } = error as LatchkeyError
    t.strictSame([code, statusCode, extras.errors?.map(({ path }) => path)], ['validation_failed', 400, ['/querystring/cursor']], name)
    t.ok(text.length < 5 || !(message + JSON.stringify(extras)).includes(text), 'and does not come back in the answer')
  }
}

await t.test('a visit is idle exactly when its time is over', async (t) => {
  t.notOk(isIdle(start, start, 1000))
  t.notOk(isIdle(start, start + 999, 1000))
  t.ok(isIdle(start, start + 1000, 1000))
  t.ok(isIdle(start, start + 1001, 1000))
  t.notOk(isIdle(start, start - 5000, 1000), 'a clock that lags behind ends nothing')
  t.ok(isIdle(start, Infinity, 1000), 'without end everything is')
})

await t.test('a visit lasts whole seconds, to its end or to now', async (t) => {
  const lasts = (endTime: number | null, now: number) => shown(viewOf({ endTime: endTime === null ? null : new Date(endTime) }), sliceOf({ kind: 'page', limit: 1 }), now).durationSeconds
  t.equal(lasts(null, start), 0)
  t.equal(lasts(null, start + 999), 0)
  t.equal(lasts(null, start + 1000), 1)
  t.equal(lasts(null, start + 3_599_999), 3599)
  t.equal(lasts(start + 61_500, start + 900_000), 61, 'an end stands, however late one looks')
  t.equal(lasts(start, start + 900_000), 0)
  t.equal(lasts(null, start - 1), 0, 'never below zero, also by a clock that lags behind')
  t.equal(lasts(start - 5000, start), 0)
})

await t.test('following the cursors shows every entry once, in order, and ends', async (t) => {
  for (const [count, limit] of [[0, 5], [1, 5], [4, 5], [5, 5], [6, 5], [10, 5], [11, 1], [401, 200]] as const) {
    for (const kind of ['page', 'action'] as const) {
      const seen: string[] = []
      const [pageCount, actionCount] = kind === 'page' ? [count, 77] : [77, count]
      let looks = 0
      for (let cursor: string | null | undefined; cursor !== null && looks <= count; looks++) {
        const view = lookAt(pageCount, actionCount, kind, limit, cursor)
        seen.push(...view.entries.map(({ id }) => id))
        cursor = view.nextCursor
      }
      t.strictSame(seen, Array.from({ length: count }, (_, at) => `id-${at}`), `${count} of ${kind} by ${limit}`)
      t.equal(looks, Math.max(1, Math.ceil(count / limit)), 'and asks no more often than it must')
    }
  }
})

await t.test('a cursor goes on where the list has grown meanwhile', async (t) => {
  const { nextCursor } = lookAt(6, 0, 'page', 5)
  t.strictSame(lookAt(8, 0, 'page', 5, nextCursor as string).entries.map(({ id }) => id), ['id-5', 'id-6', 'id-7'])
})

await t.test('a place behind the end of a list is empty and ends it', async (t) => {
  t.match(lookAt(3, 9, 'page', 5, encode('at:3')), { entries: { length: 0 }, nextCursor: null, pageCount: 3 })
  t.match(lookAt(3, 9, 'page', 5, encode('at:9999999')), { entries: { length: 0 }, nextCursor: null })
})

await t.test('without a cursor a list begins at its beginning', async (t) => {
  t.strictSame(sliceOf({ kind: 'action', limit: 7 }), { kind: 'action', limit: 7, offset: 0 })
  t.strictSame(sliceOf({ kind: 'page', limit: 7, cursor: encode('at:0') }), { kind: 'page', limit: 7, offset: 0 })
  t.equal(parseTimeCursor(undefined), undefined)
})

await t.test('a text that is no cursor of a list is refused, and not taken for its beginning', async (t) => {
  for (const text of [...noCursors, timeCursor({ time: new Date(start), id: newVisitId(randomBytes) })]) refuses(t, () => sliceOf({ kind: 'page', limit: 5, cursor: text }), text)
})

await t.test('a cursor of time comes back as it was', async (t) => {
  for (const time of [0, 1, start, 253_402_300_799_999]) {
    const place = { time: new Date(time), id: newVisitId(randomBytes) }
    const cursor = timeCursor(place)
    t.match(cursor, /^[A-Za-z0-9_-]+$/, 'and needs no quoting in an address')
    t.strictSame(parseTimeCursor(cursor), place)
  }
})

await t.test('a text that is no cursor of time is refused', async (t) => {
  const id = newVisitId(randomBytes)
  const wrong = [encode('at:5'), ...[
    `:${id}`, `${start}`, `${start}:`, `${start}:${id}x`, `${start}:${id.slice(1)}`, `${start}:${id.slice(1)}*`, `${start}:${id}:`, `-1:${id}`, `1.5:${id}`, `1e3:${id}`, ` 1:${id}`, `NaN:${id}`, `${'9'.repeat(16)}:${id}`,
    `${start}:${id}\n`, `${start}:${id}\0`, `${start}.${id}`, `${start}:{"$gt":""}aaaaaaaaaaaa`
  ].map(encode)]
  for (const text of [...noCursors, ...wrong]) refuses(t, () => parseTimeCursor(text), text)
})

await t.test('a visitor\'s text says visit and cookie, and every new one is new', async (t) => {
  const texts = Array.from({ length: 100 }, () => {
    const visitor = newVisitorId(randomBytes)
    t.strictSame(parseVisitor(visitorText(visitor)), visitor)
    return [visitor.visitId, visitor.cookieId]
  })
  t.equal(new Set(texts.flat()).size, 200)
  const visitId = newVisitId(randomBytes)
  t.equal(newVisitorId(randomBytes, visitId).visitId, visitId, 'also for a visit that runs')
})

await t.test('chance comes through the door: 128 bits for the visit and 192 for the cookie', async (t) => {
  const sizes: number[] = []
  const visitor = newVisitorId((size) => { sizes.push(size); return Buffer.alloc(size, 0xff) })
  t.strictSame(sizes.sort(), [16, 24])
  t.strictSame(parseVisitor(visitorText(visitor)), { visitId: Buffer.alloc(16, 0xff).toString('base64url'), cookieId: '_'.repeat(32) })
})

await t.test('a text of another form is no visitor', async (t) => {
  const { visitId, cookieId } = newVisitorId(randomBytes)
  const whole = `${visitId}.${cookieId}`
  for (const text of ['', '.', visitId, cookieId, `${cookieId}.${visitId}`, `${whole}.`, `.${whole}`, `${whole}x`, `x${whole}`, ` ${whole}`, `${whole} `, `${whole}\n`, `\n${whole}`, `${whole}\0`, `${whole}\n${whole}`, whole.replace('.', ':'), whole.replace('.', ''),
    whole.replace('.', '..'), whole.slice(1), whole.slice(0, -1), `${visitId.slice(1)}é.${cookieId}`, `${visitId.slice(1)}}.${cookieId}`, `${visitId.slice(1)}*.${cookieId}`, `${visitId.slice(1)}/.${cookieId}`, `${visitId}.${cookieId.slice(1)}+`, '__proto__', 'null', 'x'.repeat(100_000)]) {
    t.equal(parseVisitor(text), undefined, JSON.stringify(text.slice(0, 80)))
  }
})

await t.test('an entry has every field of its kind, null where nothing was given', async (t) => {
  const at = new Date(start)
  t.strictSame(entryOf({ kind: 'page', pageId: 'home' }, 'id-1', start), { id: 'id-1', pageId: 'home', at })
  t.strictSame(entryOf({ kind: 'action', action: 'click' }, 'id-2', start), { id: 'id-2', action: 'click', target: null, details: null, at })
  t.strictSame(entryOf({ kind: 'action', action: 'click', target: '', details: {} }, 'id-3', start), { id: 'id-3', action: 'click', target: '', details: {}, at }, 'empty is not nothing')
  t.strictSame(entryOf({ kind: 'action', action: 'buy', target: 'x', details: { price: 0, gift: false } }, 'id-4', start), { id: 'id-4', action: 'buy', target: 'x', details: { price: 0, gift: false }, at })
})
