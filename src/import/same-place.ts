// Room `import`: whether two addresses are one database. The old documents have another shape under the same names, so they
// may not meet ours. Addresses can be spelled in many ways; what this does not see, ImportStore's `foreign` does.

export interface Place { readonly hosts: readonly string[], readonly srvHost: string | undefined, readonly database: string }

/** The part of a MongoClient that says where it goes. */
interface Addressed { readonly options: { readonly hosts: readonly { toString: () => string }[], readonly srvHost?: string } }

export const placeOf = ({ options }: Addressed, database: string): Place =>
  ({ hosts: options.hosts.map(String), srvHost: options.srvHost, database })

/** All names of this machine are one. */
const canonical = (host: string): string => host.toLowerCase().replace(/^(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|::1)(?=:\d+$)/, 'localhost')

export function isSamePlace (one: Place, other: Place): boolean {
  // MongoDB refuses names that differ in case only
  if (one.database.toLowerCase() !== other.database.toLowerCase()) return false
  if (one.srvHost !== undefined && one.srvHost === other.srvHost) return true
  const hosts = new Set(one.hosts.map(canonical))
  return other.hosts.map(canonical).some((host) => hosts.has(host))
}
