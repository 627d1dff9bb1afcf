// Where a list goes on, as a header.
import type { FastifyRequest } from 'fastify'

/** RFC 8288: where a list goes on, beside the cursor in the answer. */
export function linkNext (request: FastifyRequest, nextCursor: string | null): Record<string, string> {
  if (nextCursor === null) return {}
  const url = new URL(request.url, 'http://latchkey.invalid')
  url.searchParams.set('cursor', nextCursor)
  return { link: `<${url.pathname}${url.search}>; rel="next"` }
}
