// Doors: the console and what its page is made of. It has no data in it: the page asks the API, as whoever is signed in.
import type { FastifyReply } from 'fastify'
import type { Doors } from '../doors.ts'

type ConsoleFile = Parameters<Doors['consoleFile']>[0]

/** The page may load and call what comes from here, and nothing else; it is in nobody's frame, and takes no text for markup. */
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

const files = { '/console/console.js': 'console.js', '/console/console.css': 'console.css', '/console/icon.svg': 'icon.svg' } as const

export default async function consoleDoors (scope: Doors): Promise<void> {
  async function send (reply: FastifyReply, name: ConsoleFile): Promise<string> {
    const { type, text } = await scope.consoleFile(name)
    reply.header('content-security-policy', policy).type(type)
    return text
  }

  // the page's own addresses are relative, so that it works behind a proxy that shows it elsewhere; to a router that ignores
  // slashes at the end both are one
  const page = async ({ url }: { url: string }, reply: FastifyReply) =>
    /^[^?]*\/(\?|$)/.test(url) ? await reply.redirect('../console', 308) : await send(reply, 'index.html')
  scope.get('/console', { schema: { hide: true } }, page)
  const { ignoreTrailingSlash, routerOptions } = scope.initialConfig
  if (ignoreTrailingSlash !== true && routerOptions?.ignoreTrailingSlash !== true) scope.get('/console/', { schema: { hide: true } }, page)

  for (const [path, name] of Object.entries(files)) scope.get(path, { schema: { hide: true } }, async (_request, reply: FastifyReply) => await send(reply, name))
}
