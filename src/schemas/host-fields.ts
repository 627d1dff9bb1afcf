// Room `schemas`: what a host adds to what an account shows of itself, as a type that it fills in and as a part of the shapes.
import type { TObject, TSchema } from '@sinclair/typebox'

/**
 * Fields that a host adds to the public user. Say them once, for `request.user`, hooks and claims:
 * `declare module 'latchkey' { interface HostFields { tenant: string } }`
 */
export interface HostFields {}

/** The same as a schema, ready to be put beside the service's own fields. */
export interface HostFieldsShape {
  readonly properties: Readonly<Record<string, TSchema>>
  readonly required: readonly string[]
}

/** A value that a reader may take for one: an example, a default, or the first of a list. */
function sampleOf ({ examples, default: byDefault, const: only, enum: choices }: TSchema): unknown {
  return [(examples as unknown[] | undefined)?.[0], byDefault, only, (choices as unknown[] | undefined)?.[0]].find((sample) => sample !== undefined)
}

/** @returns the shape with the host's fields; its examples have them too, or there are none where the host gives none */
export function withHostFields (shape: TObject, { properties, required }: HostFieldsShape): TObject {
  const samples = Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, sampleOf(property)]).filter(([, sample]) => sample !== undefined))
  const { examples, ...rest } = shape
  const isLawful = required.every((name) => Object.hasOwn(samples, name))
  return {
    ...rest,
    properties: { ...shape.properties, ...properties },
    required: [...shape.required ?? [], ...required],
    ...(isLawful && Array.isArray(examples) && { examples: (examples as object[]).map((example) => ({ ...example, ...samples })) })
  } as TObject
}
