// Room `schemas`: what the OpenAPI document says and no schema of a door can: which bodies may be absent, what a problem looks
// like that comes from this address, and nothing of the parts that are not mounted.

interface Example { value: { type: string, instance: string, code: string } }
interface Operation {
  tags?: string[]
  security?: Record<string, unknown>[]
  parameters?: { name: string, example?: unknown }[]
  requestBody?: { required?: boolean, content: Record<string, { schema: { 'x-optional'?: boolean } }> }
  responses: Record<string, { content?: { 'application/problem+json'?: { examples: Record<string, Example> } } }>
}

/** As much of a document as is changed here. */
export interface MadeDocument {
  paths?: Record<string, Record<string, Operation>>
  tags?: { name: string }[]
  components?: { schemas?: Record<string, unknown>, securitySchemes?: Record<string, unknown> }
}

/** The library calls every body required; a body that may be absent says so by `x-optional`. */
function relaxBody ({ requestBody }: Operation): void {
  for (const { schema } of Object.values(requestBody?.content ?? {})) {
    if (!schema['x-optional'] || requestBody === undefined) continue
    requestBody.required = false
    delete schema['x-optional']
  }
}

/** The examples of problems are made without knowing where they will be sent from. */
function placeProblems ({ parameters = [], responses }: Operation, base: string, path: string): void {
  const instance = base + path.replace(/\{(\w+)\}/g, (_, name: string) => String(parameters.find((one) => one.name === name)?.example))
  for (const { content } of Object.values(responses)) {
    for (const example of Object.values(content?.['application/problem+json']?.examples ?? {})) {
      example.value = { ...example.value, type: `${base}/problems/${example.value.code}`, instance }
    }
  }
}

/** Groups, shapes and ways to sign in that no operation uses belong to parts that are not mounted. */
function dropUnused (document: MadeDocument): void {
  const { components = {}, paths = {} } = document
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
  const groups = new Set(operations.flatMap(({ tags = [] }) => tags))
  const ways = new Set(operations.flatMap(({ security = [] }) => security.flatMap(Object.keys)))
  document.tags = (document.tags ?? []).filter(({ name }) => groups.has(name))
  components.securitySchemes = Object.fromEntries(Object.entries(components.securitySchemes ?? {}).filter(([name]) => ways.has(name)))
  const { schemas = {} } = components
  const used = new Set<string>()
  const use = (where: unknown): void => {
    for (const [, name = ''] of JSON.stringify(where ?? {}).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (used.has(name)) continue
      used.add(name)
      use(schemas[name])
    }
  }
  use(paths)
  components.schemas = Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)))
}

/** @param base path under which the scope is mounted */
export function finishDocument (document: MadeDocument, base: string): void {
  for (const [path, methods] of Object.entries(document.paths ?? {})) {
    for (const operation of Object.values(methods)) {
      relaxBody(operation)
      placeProblems(operation, base, path)
    }
  }
  dropUnused(document)
}
