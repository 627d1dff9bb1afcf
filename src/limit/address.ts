// Room `limit`: what counts as one address. A household or a server holds a whole IPv6 /64, so the limit is on that;
// an IPv4 address written as IPv6 is the same address.
import ipaddr from 'ipaddr.js'

/**
 * @param text address of the peer as the socket or a trusted proxy gives it
 * @returns the address to count by; text that is no address counts as it is, bounded
 */
export function addressKey (text: string): string {
  // some proxies forward `address:port`, which would make a new address of every connection
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text
  const plain = bare.split('%', 1)[0] as string // without an IPv6 zone
  if (!ipaddr.isValid(plain)) return text.slice(0, 64)
  const address = ipaddr.process(plain)
  if (address.kind() === 'ipv4') return address.toString()
  return (address as ipaddr.IPv6).parts.slice(0, 4).map((part) => part.toString(16)).join(':') + '::/64'
}
