// Room `embedded`: documents as values. Copies on the way in and on the way out, so that nobody outside holds a part of
// the store, and the text that a document has on disk: JSON in which dates, bytes and odd numbers are marked objects.
// An object of the user's that itself has a field starting with `$` is wrapped, so that no document can pass for a mark.
import { badRequest } from './store-error.ts'

export type Doc = Record<string, unknown>

/** A document inside the store: never changed in place, always replaced. */
export type StoredDoc = Readonly<Doc> & { readonly _id: string }

// MongoDB's own limit; also what stops a document that contains itself.
const maxDepth = 100

/**
 * A deep copy of something from outside: a document, an update or a filter. Bytes become plain Uint8Arrays, because
 * mingo compares a Buffer by its text, in which different bytes can look alike.
 * @param undefinedFields `drop` as the driver does with `ignoreUndefined`; `refuse` in filters, where a field that is
 * dropped would match everything
 * @throws StoreError for what cannot be stored: class instances, functions, bigints, invalid dates, fields called `__proto__`
 */
export function copyIn (value: unknown, undefinedFields: 'drop' | 'refuse' = 'drop', depth = 0): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value !== 'object') throw badRequest(`a ${typeof value} cannot be used in a document or a query`)
  if (depth > maxDepth) throw badRequest(`nested deeper than ${maxDepth} levels`, 15)
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw badRequest('an invalid date cannot be used in a document or a query')
    return new Date(value)
  }
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (value instanceof RegExp) return new RegExp(value)
  if (Array.isArray(value)) return Array.from(value, (item) => item === undefined ? null : copyIn(item, undefinedFields, depth + 1))
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw badRequest(`a ${prototype.constructor?.name ?? 'class instance'} cannot be used in a document or a query`)
  const copy: Doc = {}
  for (const [field, item] of Object.entries(value)) {
    if (field === '__proto__') throw badRequest('a field may not be called __proto__')
    if (item !== undefined) copy[field] = copyIn(item, undefinedFields, depth + 1)
    else if (undefinedFields === 'refuse') throw badRequest(`the field ${field} of a query is undefined`)
  }
  return copy
}

/** A deep copy of something from inside the store, for the caller to keep; bytes become Buffers, as with `promoteBuffers`. */
export function copyOut<T> (value: T): T
export function copyOut (value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Date) return new Date(value)
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (Array.isArray(value)) return value.map(copyOut)
  const copy: Doc = {}
  for (const field of Object.keys(value)) copy[field] = copyOut((value as Doc)[field])
  return copy
}

/**
 * @param value a document, or a value of one, that went through copyIn
 * @returns its text on disk, also good as a key: equal texts mean equal values
 * @throws StoreError for a regular expression, which a query may hold but a document may not
 */
export function encode (value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? String(value) : `{"$number":"${Object.is(value, -0) ? '-0' : value}"}`
  if (value === null || typeof value !== 'object') return String(value)
  if (value instanceof Date) return `{"$date":${value.getTime()}}`
  if (value instanceof Uint8Array) return `{"$bytes":"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}"}`
  if (Array.isArray(value)) return `[${value.map(encode).join(',')}]`
  if (value instanceof RegExp) throw badRequest('a regular expression cannot be stored')
  let fields = ''
  let looksMarked = false
  for (const [field, item] of Object.entries(value)) {
    looksMarked ||= field.startsWith('$')
    fields += `${fields === '' ? '' : ','}${JSON.stringify(field)}:${encode(item)}`
  }
  return looksMarked ? `{"$object":{${fields}}}` : `{${fields}}`
}

/** The value of a text from encode. @throws SyntaxError if it is not JSON */
export const decode = (text: string): unknown => revive(JSON.parse(text))

function revive (value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = revive(value[i])
    return value
  }
  const fields = value as Doc
  if ('$date' in fields) return new Date(fields['$date'] as number)
  if ('$bytes' in fields) return new Uint8Array(Buffer.from(fields['$bytes'] as string, 'base64'))
  if ('$number' in fields) return Number(fields['$number'])
  return reviveFields('$object' in fields ? fields['$object'] as Doc : fields)
}

function reviveFields (fields: Doc): Doc {
  for (const field of Object.keys(fields)) {
    const item = fields[field]
    if (item !== null && typeof item === 'object') fields[field] = revive(item)
  }
  return fields
}
