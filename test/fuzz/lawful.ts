// From a JSON schema of the OpenAPI document to values that fit it, its edges included. Only what the document uses is
// known here; anything else is an error, so that nothing is silently left untried.
import fc from 'fast-check'
import { emailMark, passwordMark } from '../helper/evidence.ts'
import type { OpenapiDocument } from '../plugins/openapi-document.ts'

/** What the document uses of JSON Schema. */
export interface Schema {
  $ref?: string
  type?: string
  enum?: unknown[]
  const?: unknown
  examples?: unknown[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  properties?: Record<string, Schema>
  patternProperties?: Record<string, Schema>
  maxProperties?: number
  required?: string[]
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
}

/** The password of whoever signs in here, so that a guess is right now and then. */
export const rightPassword = `${passwordMark}is-this-one`

/** Fields of which the schema says less than is meant; secrets carry the marks that the leak test looks for. */
const meant: Record<string, fc.Arbitrary<string>> = {
  email: fc.stringMatching(/^[a-z0-9]{8,12}$/).map((name) => `${name}@${emailMark}`),
  password: fc.stringMatching(/^[ -~]{3,60}$/).map((text) => passwordMark + text),
  newPassword: fc.stringMatching(/^[ -~]{3,60}$/).map((text) => passwordMark + text),
  currentPassword: fc.oneof(fc.constant(rightPassword), fc.stringMatching(/^[ -~]{3,60}$/).map((text) => passwordMark + text)),
  language: fc.constantFrom('en', 'pt-BR', 'EN-us', 'zh-hant-tw', 'x-private', 'i-klingon', 'de-CH-1996', 'en-u-ca-buddhist', 'no_tag')
}

/** @returns values that fit a schema of the document, its examples among them */
export function lawful (schema: Schema, document: OpenapiDocument): fc.Arbitrary<unknown> {
  const made = fitting(schema, document)
  return schema.examples === undefined || schema.type === 'object' ? made : fc.oneof({ weight: 3, arbitrary: made }, { weight: 1, arbitrary: fc.constantFrom(...schema.examples) })
}

function fitting (schema: Schema, document: OpenapiDocument): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return lawful(schema.$ref.split('/').slice(1).reduce<unknown>((inside, key) => (inside as Record<string, unknown>)[key], document.json) as Schema, document)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.type === 'object') return lawfulObject(schema, document)
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => lawful(one, document)))
  if (schema.type === 'string') return lawfulText(schema)
  if (schema.type === 'integer') return fc.integer({ min: schema.minimum ?? -(2 ** 31), max: schema.maximum ?? 2 ** 31 - 1 })
  if (schema.type === 'number') return fc.double({ noNaN: true, noDefaultInfinity: true })
  if (schema.type === 'boolean') return fc.boolean()
  if (schema.type === 'null') return fc.constant(null)
  throw new Error(`no values are known for ${JSON.stringify(schema)}`)
}

function lawfulObject ({ properties = {}, required = [], oneOf, patternProperties, maxProperties }: Schema, document: OpenapiDocument): fc.Arbitrary<unknown> {
  if (patternProperties !== undefined) {
    const [[keys, values]] = Object.entries(patternProperties) as [[string, Schema]]
    return fc.dictionary(lawfulText({ pattern: keys }), lawful(values, document), { maxKeys: maxProperties ?? 10, noNullPrototype: true })
  }
  const fields = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, meant[name] ?? lawful(field, document)]))
  const withKeys = (wanted: string[], unwanted: string[] = []): fc.Arbitrary<unknown> =>
    fc.record(Object.fromEntries(Object.entries(fields).filter(([name]) => !unwanted.includes(name))), { requiredKeys: wanted, noNullPrototype: true })
  if (oneOf === undefined) return withKeys(required)
  const ways = oneOf.map((way) => way.required ?? [])
  return fc.oneof(...ways.map((way) => withKeys([...required, ...way], ways.flat().filter((name) => !way.includes(name)))))
}

function lawfulText ({ pattern, minLength = 0, maxLength }: Schema): fc.Arbitrary<string> {
  const longest = maxLength ?? 64
  const edges = [minLength, longest].map((length) => 'x'.repeat(length))
  if (pattern === undefined) return fc.oneof({ weight: 4, arbitrary: fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(longest, 64) }) }, { weight: 1, arbitrary: fc.constantFrom(...edges) }).filter((text) => text.length <= longest)
  const form = new RegExp(pattern, 'u')
  if (!pattern.includes('\\p')) return fc.stringMatching(new RegExp(pattern))
  return fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(longest, 64) }).filter((text) => form.test(text) && text.length <= longest)
}
