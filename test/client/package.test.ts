// The client as it is shipped: small, and without a word of the server.
import { build } from 'esbuild'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import t from 'tap'

const folder = fileURLToPath(new URL('../../client', import.meta.url))

await t.test('it is under 6 KB, minified and compressed, with the fetch library', async (t) => {
  const { outputFiles: [file] } = await build({ entryPoints: [`${folder}/index.ts`], bundle: true, minify: true, format: 'esm', platform: 'browser', write: false, logLevel: 'silent' })
  const bytes = gzipSync(file?.contents as Uint8Array).length
  t.ok(bytes < 6 * 1024, `${bytes} bytes`)
  t.comment(`measured: ${bytes} bytes of the client, minified and compressed`)
})

await t.test('it imports itself and the fetch library, nothing else', async (t) => {
  const imported = readdirSync(folder).filter((name) => name.endsWith('.ts')).flatMap((name) =>
    [...readFileSync(`${folder}/${name}`, 'utf8').matchAll(/from '([^']+)'/g)].map(([, target]) => target as string))
  t.strictSame([...new Set(imported)].filter((target) => !target.startsWith('./')), ['openapi-fetch'])
})
