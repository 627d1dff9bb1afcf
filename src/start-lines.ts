// What the start says: where the service listens, where its docs are and what it keeps things in. No address is repeated
// whole, because it may hold a password.
import type { Config } from './config/config.ts'
import { createLogStream } from './log-stream.ts'
import { version } from './version.ts'

/** @param origin where it listens, such as `http://127.0.0.1:3000` */
export function startLines (config: Config, origin: string): string[] {
  const { redis } = config
  return [
    `Latchkey ${version}`,
    `  API    ${origin}`,
    ...(config.docs ? [`  Docs   ${origin}/docs  (OpenAPI: ${origin}/openapi.json)`] : []),
    ...(config.console ? [`  Console  ${origin}/console`] : []),
    ...(config.workers > 1 ? [`  Workers  ${config.workers} processes on this port`] : []),
    `  Store  ${storeText(config)}`,
    `  Redis  ${redis === undefined ? 'none: copies and counters are kept in this process' : redis.nodes.length > 0 ? `cluster of ${redis.nodes.map((node) => `${node.host}:${node.port}`).join(', ')}` : hostsOf(redis.url as string)}`,
    ...config.warnings.map((warning) => `  Note   ${warning}`)
  ]
}

/** Lines of the log in production, else for a person to read. */
export function sayStart (config: Config, origin: string, log: { info: (line: string) => void }): void {
  const lines = startLines(config, origin)
  if (config.production) for (const line of lines) log.info(line)
  else createLogStream().write(`\n${lines.join('\n')}\n\n`)
}

/** What the records are kept in. */
export const storeText = ({ store }: Config): string =>
  store.kind === 'embedded' ? `embedded, in ${store.dir}` : `MongoDB at ${hostsOf(store.uri)}, database ${store.database}`

/** `scheme://user:password@host:port/path` -> `host:port`. */
const hostsOf = (url: string): string => (/^[^:]+:\/\/(?:[^/]*@)?([^/?]*)/.exec(url)?.[1]) ?? ''
