// As much of an OpenAPI document as docs/http-api.md is made from.

export interface Schema {
  $ref?: string
  type?: string
  format?: string
  description?: string
  enum?: string[]
  default?: unknown
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  required?: string[]
  properties?: Record<string, Schema>
  items?: Schema
  anyOf?: Schema[]
  example?: unknown
  examples?: unknown[]
}

export interface Media { schema: Schema, example?: unknown, examples?: Record<string, { value: unknown }> }
export interface Parameter { name: string, in: string, required?: boolean, description?: string, schema: Schema }

export interface Operation {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  security?: Record<string, string[]>[]
  parameters?: Parameter[]
  requestBody?: { required?: boolean, content: Record<string, Media> }
  responses: Record<string, { description: string, content?: Record<string, Media> }>
}

export interface ApiDocument {
  tags: { name: string, description: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

/** An operation and where it is. */
export interface Named extends Operation { method: string, path: string }

/** Names of the ways in which somebody may be known. */
export const schemesOf = ({ security = [] }: Operation): Set<string> => new Set(security.flatMap((one) => Object.keys(one)))
