// Room `config`: where the stores and the proxies are. Whatever a driver or Fastify could not read is refused here, by the name
// of its setting: their own errors repeat the text, and with it the password in it.
import ipaddr from 'ipaddr.js'
import type { Settings } from './settings-schema.ts'

export type StoreAddress =
  | { readonly kind: 'embedded', readonly dir: string }
  | { readonly kind: 'mongodb', readonly uri: string, readonly database: string }

export interface RedisAddress {
  /** URL of a single Redis; beside `nodes` it only lends user, password and TLS. */
  readonly url: string | undefined
  /** A Redis Cluster, if there are any. */
  readonly nodes: readonly { readonly host: string, readonly port: number }[]
}

type NameOf = (name: string) => string

/** @param problems takes what is wrong, by the names of the settings */
export function storeOf ({ mongodbUri, dataDir }: Settings, nameOf: NameOf, problems: string[]): StoreAddress {
  if (mongodbUri === undefined || mongodbUri === 'embedded') return { kind: 'embedded', dir: dataDir }
  // not `new URL`: it refuses the several hosts of a replica set
  const path = /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(mongodbUri)?.[1]
  const database = path === undefined ? 'latchkey' : decoded(path)
  if (database === undefined) problems.push(`${nameOf('mongodbUri')}: the name of the database is not in percent-encoding`)
  return { kind: 'mongodb', uri: mongodbUri, database: database ?? '' }
}

/** As `storeOf`. @returns undefined where no Redis is named */
export function redisOf (settings: Settings, nameOf: NameOf, problems: string[]): RedisAddress | undefined {
  const { redisUrl, redisHost, redisPort, redisPassword, redisClusterNodes } = settings
  const built = redisHost === undefined
    ? undefined
    : `redis://${redisPassword === undefined ? '' : `:${encodeURIComponent(redisPassword)}@`}${redisHost}:${redisPort ?? 6379}`
  if (redisHost === undefined && (redisPort ?? redisPassword) !== undefined) {
    problems.push(`${nameOf('redisHost')} is missing beside ${nameOf('redisPort')} or ${nameOf('redisPassword')}`)
  }
  if (redisUrl !== undefined && built !== undefined && redisUrl.replace(/\/$/, '') !== built) {
    problems.push(`${nameOf('redisUrl')} and ${nameOf('redisHost')} name different servers: set one of them`)
  }
  if (built !== undefined && !isUrl(built)) problems.push(`${nameOf('redisHost')} is no host`)
  if (redisUrl !== undefined && !isUrl(redisUrl)) problems.push(`${nameOf('redisUrl')}: the host, the port or the percent-encoding cannot be read`)
  const nodes = (redisClusterNodes?.split(',') ?? []).map((node) => {
    const [host, port] = node.split(':') as [string, string]
    return { host, port: Number(port) }
  })
  if (nodes.some(({ port }) => port < 1 || port > 65_535)) problems.push(`${nameOf('redisClusterNodes')}: a port is a number from 1 to 65535`)
  const url = redisUrl ?? built
  return url === undefined && nodes.length === 0 ? undefined : { url, nodes }
}

/** As `storeOf`. @returns the proxies whose word counts; false for none */
export function trustOf ({ trustProxy }: Settings, nameOf: NameOf, problems: string[]): false | string[] {
  if (trustProxy === 'off') return false
  const proxies = trustProxy.split(',').map((proxy) => proxy.trim())
  const known = (proxy: string) => ['loopback', 'linklocal', 'uniquelocal'].includes(proxy) || isAddress(proxy) || isNetwork(proxy)
  if (!proxies.every(known)) problems.push(`${nameOf('trustProxy')}: expected \`off\` or addresses such as \`loopback\`, \`10.0.0.0/8\``)
  return proxies
}

/** An address written whole: four numbers or IPv6, not the short and hexadecimal forms that some resolvers take. */
const isAddress = (text: string): boolean => ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text)

/** A whole address and how much of it counts; nothing of it would be everybody, and who trusts everybody trusts the client. */
function isNetwork (text: string): boolean {
  const [address = '', bits] = text.split('/')
  return isAddress(address) && ipaddr.isValidCIDR(text) && Number(bits) > 0
}

/** @returns undefined for a text that is not in percent-encoding */
function decoded (text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** Whether a client can read a URL, and the user and the password in it. */
function isUrl (text: string): boolean {
  if (!URL.canParse(text)) return false
  const { username, password } = new URL(text)
  return decoded(username) !== undefined && decoded(password) !== undefined
}
