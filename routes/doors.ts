// A door of this house: typed by its schema, and open at more than one address where the original documents had shorter ones.
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance, FastifySchema, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify'

/** The scope as doors see it: what they read and send is typed by their schemas. */
export type Doors = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, TypeBoxTypeProvider>

/** The first address is in the document, the others answer the same and are left out of it. */
export function schemaAt<S extends FastifySchema> (schema: S, paths: readonly string[], path: string): S {
  return path === paths[0] ? schema : { ...schema, hide: true }
}
