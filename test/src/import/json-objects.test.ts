// The objects of a JSON text while it is read: whatever its layout, wherever it is cut.
import t from 'tap'
import { ImportError } from '../../../src/import/import-error.ts'
import { objectsIn } from '../../../src/import/json-objects.ts'

async function read (text: string | Buffer, size = 7): Promise<string[]> {
  const bytes = Buffer.from(text as string)
  async function * chunks (): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  const found: string[] = []
  for await (const object of objectsIn(chunks())) found.push(object)
  return found
}

const objects = [
  { a: 1 }, {}, { text: 'a } brace, a { brace, a "quote", a \\ backslash' }, { list: [{ b: [1, { c: '[' }] }, '}'], deep: { deeper: { deepest: {} } } }, { ü: '日本語 🔑', end: '\\' }
]
const texts = objects.map((object) => JSON.stringify(object))

await t.test('lines, an array, an indented array and one after the other are the same documents, wherever the text is cut', async (t) => {
  const layouts = {
    lines: texts.join('\n'),
    'lines of another system': `\ufeff${texts.join('\r\n')}\r\n`,
    array: `[${texts.join(',\n')}]`,
    indented: JSON.stringify(objects, null, 2),
    'one after the other': texts.join('')
  }
  for (const [layout, text] of Object.entries(layouts)) {
    for (const size of [1, 2, 3, 7, 64, 10_000]) {
      t.strictSame((await read(text, size)).map((one) => JSON.parse(one) as object), objects, `${layout}, ${size} bytes at a time`)
    }
  }
})

await t.test('nothing is no document', async (t) => {
  for (const text of ['', '[]', '\n\n', '[\n]\n']) t.strictSame(await read(text), [])
})

await t.test('what is not JSON is refused at once', async (t) => {
  for (const text of ['_id,email\n1,2', '"text"', '{}7', 'PK\u0003\u0004', '}{']) await t.rejects(read(text), ImportError, text)
  await t.rejects(read('_id,email'), /expected an array of documents/)
})

await t.test('a text that ends within a document says so', async (t) => {
  for (const text of ['{"a":1', '{"a":1}\n{"b":"}', '[{"a":{}}, {']) await t.rejects(read(text), /ends in the middle of a document/)
})

await t.test('a document without end is not held', async (t) => {
  async function * endless (): AsyncGenerator<Buffer> {
    yield Buffer.from('{"a":"')
    for (let i = 0; i < 100; i++) yield Buffer.alloc(1024 * 1024, 0x78)
  }
  await t.rejects((async () => { for await (const object of objectsIn(endless())) t.fail(object) })(), /more than 64 MiB/)
})
