// Every block of code of every page is of a kind that is run, compiled or parsed, or says why it is not: nothing is left out in
// silence. What is only parsed is parsed here.
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import t from 'tap'
import { parse } from 'yaml'
import { createConfig } from '../../src/config/config.ts'
import { readEnvironment } from '../../src/config/environment.ts'
import { aliasesOf, environmentName, settingNames } from '../../src/config/settings-schema.ts'
import { blocks, kindOf, pages, root, type Block } from './markdown.ts'
import { ownStories } from './story.ts'

const ofKind = (kind: string): readonly Block[] => blocks.filter((block) => kindOf(block) === kind && !block.remarks.has('output'))

/** Remarks that there are, and whether they say more. */
const remarks: Readonly<Record<string, RegExp>> = {
  'not run': /\w/,
  'run by': /^\S+$/,
  'keeps running': /^$/,
  output: /^$/,
  answers: /^\w+(, \w+)*$/,
  needs: /^MongoDB and Redis$/,
  given: /\w/,
  name: /^[\w-]+$/,
  then: /^[\w-]+$/
}

await t.test('each block is of a kind that somebody looks at, and has no remark that nobody knows', async (t) => {
  t.ok(blocks.length > 60)
  for (const block of blocks) {
    t.ok(kindOf(block) !== '' || block.remarks.has('not run'), `${block.place}: a block of the kind "${block.language}"`)
    for (const [name, text] of block.remarks) t.match(text, remarks[name] ?? /^(?!)/, `${block.place}: remark "${name}"`)
    if (kindOf(block) === 'text') t.ok(block.remarks.has('output'), `${block.place}: a text is what a command prints`)
  }
  for (const { file, blocks } of pages) {
    for (const [index, { place, remarks }] of blocks.entries()) {
      if (remarks.has('output')) t.equal(kindOf(blocks[index - 1] as Block), 'sh', `${place}: a command stands before what it prints`)
      if (remarks.has('then')) t.ok(blocks.slice(0, index).some((one) => one.remarks.get('name') === remarks.get('then')), `${file}: ${remarks.get('then')}`)
    }
  }
})

/** Scripts and files that a command runs. */
const runIn = (text: string): string[] => [...text.matchAll(/\bnpm (?:ci|test|start|run [\w:]+)|\b[\w-]+(?:\/[\w-]+)+\.\w+/g)].map(([what]) => what)

await t.test('what another file runs is run by it', async (t) => {
  for (const { place, text, remarks } of blocks.filter((block) => block.remarks.has('run by'))) {
    const file = remarks.get('run by') as string
    const source = existsSync(root + file) ? readFileSync(root + file, 'utf8') : ''
    const wanted = runIn(text)
    t.ok(wanted.length > 0, place)
    for (const what of wanted) t.ok([what, what.slice(what.indexOf('/') + 1)].some((said) => source.includes(said)), `${place}: ${what} is run by ${file}`)
  }
  for (const [page, file] of Object.entries(ownStories)) t.ok(readFileSync(root + file, 'utf8').includes(`'${page}'`), `${page} is read by ${file}`)
})

await t.test('JSON and YAML can be read', async (t) => {
  for (const { place, text } of ofKind('json')) t.doesNotThrow(() => JSON.parse(text), place)
  for (const { place, text } of ofKind('yaml')) t.doesNotThrow(() => parse(text) as unknown, place)
})

await t.test('an environment is one that the service starts with', async (t) => {
  const known = new Set(settingNames.flatMap((name) => [environmentName(name), ...aliasesOf(name)]))
  const secret = (): string => randomBytes(32).toString('hex')
  for (const { place, text } of ofKind('env')) {
    const given = parseEnv(text.replace(/^# (?=[A-Z_]+=)/gm, '')) as Record<string, string>
    t.strictSame(Object.keys(given).filter((name) => !known.has(name)), [], place)
    for (const [name, value] of Object.entries(given)) if (value.startsWith('...')) given[name] = secret()
    t.doesNotThrow(() => createConfig(readEnvironment({ ACCESS_TOKEN_SECRET: secret(), REFRESH_TOKEN_SECRET: secret(), SESSION_SECRET: secret(), ...given }), { randomBytes }), place)
  }
})

await t.test('CONTRIBUTING tells the steps of CI as they are', async (t) => {
  const steps = [...readFileSync(`${root}.ci/run`, 'utf8').matchAll(/^step '([^']+)'$/gm)].map(([, title]) => title)
  const told = (readFileSync(`${root}CONTRIBUTING.md`, 'utf8').split('\n\n').find((part) => part.startsWith('| step |')) ?? '').split('\n').slice(2).map((line) => line.split('|')[1]?.trim())
  t.strictSame(told, steps)
})
