// Guard: after everything else has run, the document has said the truth of every answer that was given, in whichever test, and
// has promised nothing that none has seen (MISSION row 32). Runs last, by test/run.mjs, which says whether the run was whole.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { commonCodes } from '../../src/schemas/problem.ts'
import { notedAnswers, type NotedAnswer } from '../helper/noted-answers.ts'
import { rowsOf } from '../helper/readme-rows.ts'

interface Operation { operationId: string, requestBody?: object, parameters?: object[], responses: Record<string, { content?: Record<string, { examples?: object }> }> }

const { paths } = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8')) as { paths: Record<string, Record<string, Operation>> }
const operations = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, ...operation })))
const textOf = ({ operation, status, code, type }: NotedAnswer): string => [operation, status, code, type].filter((part) => part !== '').join(' ')

/** Every answer that the document declares; a refusal is declared code by code. */
const declared = operations.flatMap(({ operationId: operation, responses }) => Object.entries(responses).flatMap(([status, { content = { '': {} } }]) =>
  Object.entries(content).flatMap(([type, { examples = {} }]) => (Number(status) < 400 ? [''] : Object.keys(examples)).map((code): NotedAnswer => ({ operation, status: Number(status), code, type })))))

/** Public, visitor or private: the class of doors that an operation stands in. */
const classOf = new Map(rowsOf('routes/README.md').map(([method, address = '', , scope]) =>
  [operations.find((one) => one.method === method && one.path === address.replace(/:(\w+)/g, '{$1}'))?.operationId, scope]))

const noted = notedAnswers()
const gathered = noted.length > 0 ? false : 'run by `npm test`, which gathers the evidence'
const readsInput = new Set(operations.filter(({ requestBody, parameters }) => requestBody ?? parameters).map(({ operationId }) => operationId))
const isShared = ({ operation, code }: NotedAnswer): boolean => (commonCodes as readonly string[]).includes(code) && !(code === 'validation_failed' && readsInput.has(operation))

await t.test('J4 no operation has answered what the document does not declare of it', { skip: gathered }, async (t) => {
  const known = new Set(declared.map(textOf))
  t.strictSame(noted.map(textOf).filter((answer) => !known.has(answer)), [])
  t.comment(`measured: ${noted.length} different answers of ${new Set(noted.map(({ operation }) => operation)).size} operations, ${declared.length} declared`)
})

await t.test('J4 whatever is declared has been answered: by the operation itself, or what all share once in each class of doors', { skip: gathered || (process.env['LATCHKEY_WHOLE'] !== '1' && 'only after a whole run') }, async (t) => {
  const seen = new Set(noted.map(textOf))
  t.strictSame(declared.filter((answer) => !isShared(answer)).map(textOf).filter((answer) => !seen.has(answer)), [])
  const inClass = ({ operation, code }: NotedAnswer): string => `${String(classOf.get(operation))} ${code}`
  const seenInClass = new Set(noted.map(inClass))
  t.strictSame([...new Set(declared.filter(isShared).map(inClass))].filter((answer) => !seenInClass.has(answer)), [])
  t.strictSame([...new Set(classOf.values())].sort(), ['private', 'public', 'visitor'])
})
