// JavaScript and TypeScript of the documents is compiled as a user's project would: strictly, against the package as it is built.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { blocks, kindOf, root } from './markdown.ts'
import { projectFolder } from './story.ts'

const code = blocks.filter((block) => ['js', 'mjs', 'ts'].includes(kindOf(block)))

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  allowJs: true,
  checkJs: true,
  noEmit: true,
  skipLibCheck: true,
  types: ['node'],
  typeRoots: [`${root}node_modules/@types`]
}

await t.test('each block compiles under strict, against the package', async (t) => {
  const folder = projectFolder(t)
  mkdirSync(join(folder, 'blocks'))
  const placeOf = new Map(code.map((block, index) => {
    const file = join(folder, 'blocks', `${index}.${block.language === 'ts' ? 'ts' : 'js'}`)
    writeFileSync(file, [block.remarks.get('given') ?? '', block.text, 'export {}', ''].join('\n'))
    return [file, block.place]
  }))
  t.ok(placeOf.size > 4)
  const program = ts.createProgram([...placeOf.keys()], options)
  const problems = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => ({
    block: file === undefined ? '' : placeOf.get(file.fileName) ?? file.fileName,
    line: file?.getLineAndCharacterOfPosition(start).line,
    problem: ts.flattenDiagnosticMessageText(messageText, '\n')
  }))
  t.strictSame(problems, [])
})
