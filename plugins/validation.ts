// Socket: how input is read and judged in this scope. A body is JSON by its type or it is not looked at; an empty one is
// none. Bodies are never coerced and unknown keys are refused; path and query are text by nature, so their numbers are
// read as numbers. The failure says where and what, never the value.
import { Ajv, type ErrorObject } from 'ajv'
import addFormats from 'ajv-formats'
import fp from 'fastify-plugin'
import { LatchkeyError, type FieldError } from '../src/errors.ts'

/** Errors that one reply lists; a hostile body could cause thousands. */
const mostErrors = 10

export default fp(async function validation (scope) {
  // schemas are TypeBox's, and the document is validated in the tests: judging them at each start costs 0.1 s
  const options = { allErrors: true, removeAdditional: false, useDefaults: true, strict: false, messages: true, meta: false, validateSchema: false } as const
  const body = new Ajv({ ...options, coerceTypes: false })
  const text = new Ajv({ ...options, coerceTypes: true })
  for (const ajv of [body, text]) addFormats.default(ajv)

  const parseJson = scope.getDefaultJsonParser('error', 'error')
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '') done(null, undefined)
    else void parseJson(request, text as string, done)
  })

  scope.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? body : text).compile(schema))
  scope.setSchemaErrorFormatter((errors, part) => new LatchkeyError('validation_failed', {
    errors: (errors as ErrorObject[]).filter(saysSomething).slice(0, mostErrors).map((error) => fieldError(error, part))
  }))
}, { name: 'latchkey-validation' })

/** A branch that failed is told by what is wrong inside it, or by the choice as a whole. */
const saysSomething = ({ keyword, schemaPath }: ErrorObject): boolean => keyword === 'oneOf' || !schemaPath.includes('/oneOf/')

function fieldError ({ instancePath, keyword, params, message }: ErrorObject, part: string): FieldError {
  const inside = keyword === 'required' ? `/${String(params['missingProperty'])}` : ''
  return { path: `/${part}${instancePath}${inside}`, message: wording(keyword, message) }
}

function wording (keyword: string, message = 'is invalid'): string {
  if (keyword === 'required') return 'is required'
  if (keyword === 'additionalProperties') return 'has a property that this operation does not know'
  if (keyword === 'oneOf') return 'needs exactly one of the alternatives'
  if (keyword === 'pattern') return 'has not the expected form'
  return message
}
