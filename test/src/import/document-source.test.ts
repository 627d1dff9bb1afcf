// Files of an older service: what cannot be taken over is said with the file's name and none of its content.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fileSource } from '../../../src/import/document-source.ts'
import { ImportError } from '../../../src/import/import-error.ts'
import { rowOf, runCommand } from '../../helper/command.ts'
import { exported, oldAccount } from '../../helper/old-service.ts'
import { createDeployment } from '../../helper/service.ts'
import { scratchFolder } from '../../helper/scratch.ts'

async function read (file: string): Promise<unknown[]> {
  const found: unknown[] = []
  for await (const document of fileSource(file)) found.push(document)
  return found
}

await t.test('a file that is not there, is none, is no JSON or was cut off is named, and why', async (t) => {
  const folder = scratchFolder(t)
  const file = join(folder, 'users.json')
  await t.rejects(read(file), { name: 'ImportError', message: `${file} cannot be read (ENOENT)` })
  await t.rejects(read(folder), { name: 'ImportError', message: `${folder} cannot be read (EISDIR)` })
  for (const [text, why] of [['_id,email\n1,secret@x', 'is not JSON'], ['{"email":"secret@x"', 'cut off']] as const) {
    writeFileSync(file, text)
    const error = await read(file).then(() => undefined, (reason: unknown) => reason)
    t.type(error, ImportError)
    t.match((error as Error).message, new RegExp(`^${file} cannot be taken over: .*${why}`))
    t.notMatch((error as Error).message, 'secret')
  }
})

await t.test('a document that cannot be read is left behind by its place; the others come in', async (t) => {
  const file = join(scratchFolder(t), 'users.json')
  writeFileSync(file, `${exported([oldAccount().document])}{"_id":{"$oid":"nothing"}}\n{'single':1}\n{"a":,}\n${exported([oldAccount().document])}`)
  const ran = await runCommand(['import', '--users', file], createDeployment(t, {}).env)
  t.equal(ran.code, 3)
  t.strictSame(rowOf(ran, 'users'), [5, 2, 0, 0, 3])
  for (const place of [2, 3, 4]) t.match(ran.out, `skipped  users no. ${place}: it cannot be read`)
})

await t.test('a file that was cut off fails after what was whole has come in; another run goes on', async (t) => {
  const deployment = createDeployment(t, {})
  const file = join(scratchFolder(t), 'users.json')
  const text = exported(Array.from({ length: 700 }, () => oldAccount({}, () => `$2b$10$${'a'.repeat(53)}`).document))
  writeFileSync(file, text.slice(0, -9))
  const cut = await runCommand(['import', '--users', file], deployment.env)
  t.equal(cut.code, 1)
  t.match(cut.err, 'cut off')
  writeFileSync(file, text)
  t.strictSame(rowOf(await runCommand(['import', '--users', file], deployment.env), 'users'), [700, 200, 500, 0, 0])
})
