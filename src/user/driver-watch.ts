// Room `user`: notices that the MongoDB driver has stopped looking for a server that it lost. Its monitor writes a command as
// everything else does; where the connection breaks just before, the write is never answered and the next look never comes
// (docs/decisions/0011). Whoever is told starts the client anew, which is what helps.
import type { MongoClient, TopologyDescriptionChangedEvent } from 'mongodb'

/** Kinds of servers that take writes. */
const writableTypes = new Set(['Standalone', 'RSPrimary', 'Mongos', 'LoadBalancer'])

/** @returns whether a deployment takes writes: a member that is down is no outage as long as there is a primary */
export const isWritable = ({ newDescription }: TopologyDescriptionChangedEvent): boolean =>
  [...newDescription.servers.values()].some(({ type }) => writableTypes.has(type))

/**
 * Milliseconds, real ones. Silence is counted in ticks and not by a clock: a process that stood still has heard nothing either.
 */
const tickMs = 1000

/** What the driver does where a client says nothing else, in milliseconds. */
const driversOwn = { heartbeatFrequencyMS: 10_000, connectTimeoutMS: 30_000 } as const

/** Milliseconds of a monitor's longest look: one that MongoDB answers when something changes, or TCP, TLS and a first command in turn. */
function longestLookMs ({ heartbeatFrequencyMS = driversOwn.heartbeatFrequencyMS, connectTimeoutMS }: Partial<MongoClient['options']>): number {
  const connectMs = connectTimeoutMS || driversOwn.connectTimeoutMS
  return Math.max(heartbeatFrequencyMS + connectMs, 3 * connectMs)
}

/**
 * @param onStopped called where nothing takes writes and a server's monitor has said nothing for two seconds longer than its
 *   longest look takes (3 s with the options that this service sets); again after as long if it still says nothing
 * @returns what ends the watch
 */
export function watchDriver (client: MongoClient, onStopped: () => void): () => void {
  const options = client.options as MongoClient['options'] | undefined // a host's client may be wrapped
  const silentTicks = Math.ceil(longestLookMs(options ?? {}) / tickMs) + 2
  const ticksSince = new Map<string, number>()
  let writable = false

  const onLook = ({ connectionId }: { connectionId: string }): void => { ticksSince.set(connectionId, 0) }
  const onServerClosed = ({ address }: { address: string }): void => { ticksSince.delete(address) }
  const onDescription = (event: TopologyDescriptionChangedEvent): void => { writable = isWritable(event) }

  function tick (): void {
    for (const [address, ticks] of ticksSince) ticksSince.set(address, ticks + 1)
    if (writable || !([...ticksSince.values()].some((ticks) => ticks >= silentTicks))) return
    for (const address of ticksSince.keys()) ticksSince.set(address, 0)
    onStopped()
  }

  const looks = ['serverHeartbeatStarted', 'serverHeartbeatSucceeded', 'serverHeartbeatFailed'] as const
  for (const look of looks) client.on(look, onLook)
  client.on('serverClosed', onServerClosed).on('topologyDescriptionChanged', onDescription)
  const timer = setInterval(tick, tickMs).unref()
  return () => {
    clearInterval(timer)
    for (const look of looks) client.off(look, onLook)
    client.off('serverClosed', onServerClosed).off('topologyDescriptionChanged', onDescription)
  }
}
