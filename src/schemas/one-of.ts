// Room `schemas`: a text out of a list. TypeBox's own union of literals would read as `anyOf` in the document and in
// generated clients; a kind of our own keeps the plain `enum`, and TypeBox's checks know it too.
import { Kind, Type, TypeRegistry, type StringOptions } from '@sinclair/typebox'

const kind = 'Latchkey:OneOf'

TypeRegistry.Set<{ enum: readonly string[] }>(kind, (schema, value) => typeof value === 'string' && schema.enum.includes(value))

/** @returns a schema whose type is the union of the values */
export const oneOf = <const T extends string>(values: readonly T[], options: StringOptions = {}) =>
  Type.Unsafe<T>({ [Kind]: kind, type: 'string', enum: [...values], ...options })
