// Socket: how replies are written: one serializer for each shape. Fastify compiles one for each status of each route, and most
// of ours are the same few shapes: measured, that was four fifths of the CPU of a start.
import { SerializerSelector, type SerializerCompiler } from '@fastify/fast-json-stringify-compiler'
import type { FastifySerializerCompiler } from 'fastify'
import fp from 'fastify-plugin'

export default fp(async function serialization (scope) {
  const serializers = new Map<string, ReturnType<FastifySerializerCompiler<unknown>>>()
  let compile: SerializerCompiler | undefined
  const shapes = scope.getSchemas.bind(scope) // as it is now: plugins/openapi.ts lets others see less

  scope.setSerializerCompiler<unknown>(({ schema, method, url, httpStatus = '' }) => {
    compile ??= SerializerSelector()(shapes()) // routes are compiled when every shape has been added
    const shape = JSON.stringify(schema)
    const serialize = serializers.get(shape) ?? compile({ schema, method, url, httpStatus })
    serializers.set(shape, serialize)
    return serialize
  })
}, { name: 'latchkey-serialization' })
