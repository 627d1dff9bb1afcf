// The OpenAPI document of a service, for tests that hold the service to it.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { Answer } from '../helper/http.ts'
import type { Service } from '../helper/service.ts'

/** One operation of the document; what is inside is looked into freely. */
export interface Operation {
  path: string
  method: string
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a document of somebody else's shape
  is: any
}

export interface OpenapiDocument {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
  json: any
  operations: Operation[]
  /** @returns what is wrong with an example of a schema, at a place of the document given by its keys */
  faultsOf: (value: unknown, ...place: string[]) => string[]
  /** @returns what an answer has that the document does not declare */
  undeclared: (operation: Operation, answer: Answer) => string[]
}

export async function readDocument (service: Service): Promise<OpenapiDocument> {
  const { json } = await service.get('/openapi.json')
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false })
  addFormats.default(ajv)
  ajv.addSchema(json, 'document')
  const checks = new Map<string, ValidateFunction>()
  const operations = Object.entries(json.paths as Record<string, object>)
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, is]) => ({ path, method: method.toUpperCase(), is })))

  const faultsOf = (value: unknown, ...place: string[]): string[] => {
    const pointer = place.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')
    const check = checks.get(pointer) ?? ajv.compile({ $ref: `document#/${pointer}` })
    checks.set(pointer, check)
    return check(value) ? [] : (check.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`)
  }

  return {
    json,
    operations,
    faultsOf,
    undeclared ({ path, method, is }, { status, headers, json, text }) {
      const declared = is.responses[status]
      if (declared === undefined) return [`${status} ${text.slice(0, 200)}`]
      const type = (headers['content-type'] ?? '').split(';', 1)[0] as string
      const content = declared.content?.[type]
      if (content === undefined) return text === '' ? [] : [`${status} as ${type}`]
      if (content.schema.format === 'binary') return []
      if (status >= 400 && !(json.code in (content.examples ?? {}))) return [`${status} ${json.code}`]
      return faultsOf(type === 'text/plain' ? text : json, 'paths', path, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema').map((fault) => `${status}: ${fault}`)
    }
  }
}
