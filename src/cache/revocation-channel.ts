// Room `cache`: hears which keys other instances revoked, and proves that it hears. Every instance publishes a beat of
// its own through Redis and listens for it on the connection that carries the revocations: a beat that arrives says that
// everything sent before it has arrived too. Deafness is a comparison at each hit, not a timer that could be late.
// Connections are opened here, one after the other, because a library that resubscribes by itself hides the gap.
import type { Redis } from 'ioredis'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import type { RedisClient } from './shared-tier.ts'

/** Whether revocations are heard; read on every memory hit, hence a bare field. */
export interface Hearing {
  /** Clock.mono() of the last own beat; Infinity where there is nothing to hear, -Infinity where nobody would tell. */
  lastBeat: number
}

/** Milliseconds between two beats. */
export const beatMs = 1000

/** Milliseconds without a beat after which the channel counts as cut. */
export const deafAfterMs = 2000

/** Longest milliseconds between two attempts to connect. */
const longestPauseMs = 1000

/** Beats in a row that may go unheard before the connection is given up: a half-open one never says that it ended. */
const mostUnheard = 5

export interface RevocationChannel {
  readonly hearing: Hearing
  /** Begins to listen and to beat; returns at once, whatever the state of Redis. */
  open: () => void
  /** Sends one beat now. */
  beat: () => Promise<void>
  close: () => void
}

export interface RevocationChannelOptions {
  /** A new connection to subscribe with, not yet connected and not reconnecting by itself; `attempt` picks a node of a cluster. */
  subscriberFor: (attempt: number) => Redis
  /** Connection for commands, which sends the beats. */
  publisher: RedisClient
  channel: string
  /** Channel that only this instance uses, so that beats do not grow with the square of the instances. */
  beatChannel: string
  clock: Clock
  /** A key was revoked somewhere. */
  onForget: (key: string) => void
  /** A beat was heard: Redis answers and carries messages. @param lagMs milliseconds since it was sent, by one clock */
  onBeat: (lagMs: number) => void
  /** The subscription stands from now on: whatever was told before was missed. */
  onSubscribe: () => void
}

export function createRevocationChannel (options: RevocationChannelOptions): RevocationChannel {
  const { subscriberFor, publisher, channel, beatChannel, clock, onForget, onBeat, onSubscribe } = options
  const hearing: Hearing = { lastBeat: -Infinity }
  const closing = new AbortController()
  let subscriber: Redis | undefined
  let timer: NodeJS.Timeout | undefined
  let unheard = 0

  async function beat (): Promise<void> {
    if (++unheard > mostUnheard) {
      unheard = 0
      subscriber?.disconnect()
    }
    await publisher.publish(beatChannel, String(clock.mono())).catch(() => { /* an unsent beat is an unheard one */ })
  }

  /** One connection from its birth to its end. */
  async function listen (connection: Redis): Promise<void> {
    const ended = new Promise<void>((resolve) => { connection.once('end', resolve) })
    connection.on('error', () => { /* 'end' follows */ })
    connection.on('message', (from: string, message: string) => {
      if (from !== beatChannel) return onForget(message)
      unheard = 0
      hearing.lastBeat = clock.mono()
      onBeat(hearing.lastBeat - Number(message))
    })
    await connection.connect()
    await connection.subscribe(channel, beatChannel)
    onSubscribe()
    await beat()
    await ended
  }

  async function listenOn (): Promise<void> {
    for (let attempt = 0, pauseMs = 50; !closing.signal.aborted; attempt++) {
      const begin = clock.mono()
      try {
        subscriber = subscriberFor(attempt)
        await listen(subscriber)
      } catch { /* try the next one */ }
      subscriber?.disconnect()
      pauseMs = clock.mono() - begin > longestPauseMs ? 50 : Math.min(pauseMs * 2, longestPauseMs)
      await sleep(pauseMs, undefined, { ref: false, signal: closing.signal }).catch(() => { /* closing */ })
    }
  }

  return {
    hearing,
    open () {
      void listenOn()
      timer = setInterval(() => { void beat() }, beatMs)
      timer.unref()
    },
    beat,
    close () {
      closing.abort()
      clearInterval(timer)
      subscriber?.disconnect()
    }
  }
}
