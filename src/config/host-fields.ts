// Room `config`: the schema of what a host adds to the public user, judged before anything starts. It has to be closed and
// plain, because it becomes a part of the document and of every answer that shows a user.
import type { TSchema } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { HostFieldsShape } from '../schemas/host-fields.ts'
import { Profile } from '../schemas/shapes.ts'
import { ConfigError } from './environment.ts'

const form = /^[A-Za-z][A-Za-z0-9_]{0,63}$/

/** What may stand beside the fields: words for readers, and that there are no others. */
const known = new Set(['type', 'properties', 'required', 'additionalProperties', '$id', '$schema', 'title', 'description', 'examples'])

const says = (problem: string): ConfigError => new ConfigError([`publicUserSchema: ${problem}`])

/**
 * @param schema the option `publicUserSchema`: an object of TypeBox, or the same as JSON Schema
 * @throws ConfigError
 */
export function readHostFields (schema: unknown): HostFieldsShape {
  const { type, properties, required = [], additionalProperties = false } = (schema ?? {}) as Partial<Record<string, unknown>>
  if (type !== 'object' || typeof properties !== 'object' || properties === null) throw says('expected an object schema with `properties`, such as Type.Object({ tenant: Type.String() })')
  const others = Object.keys(schema as object).filter((keyword) => !known.has(keyword))
  if (others.length > 0 || additionalProperties !== false) throw says(`takes \`properties\` and \`required\` alone, and nothing more is let through: ${[...others, ...(additionalProperties !== false ? ['additionalProperties'] : [])].join(', ')}`)
  const names = Object.keys(properties)
  const taken = names.filter((name) => Object.hasOwn(Profile.properties, name))
  if (taken.length > 0) throw says(`these fields are the service's own: ${taken.join(', ')}`)
  const unlawful = names.filter((name) => !form.test(name))
  if (unlawful.length > 0) throw says('a field has 1 to 64 of A-Z a-z 0-9 _, a letter first')
  if (!Array.isArray(required) || !required.every((name) => names.includes(name as string))) throw says('`required` names fields of `properties`')
  const shape = { properties: properties as Record<string, TSchema>, required: required as string[] }
  try {
    addFormats.default(new Ajv({ strict: false })).compile({ type: 'object', ...shape })
  } catch (error) {
    throw says(`it cannot be read: ${(error as Error).message}`)
  }
  return shape
}
