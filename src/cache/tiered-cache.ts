// Room `cache`: the order in which copies are asked (memory, shared tier, truth) and how long each may be believed.
// A copy past `validUntil` or `expiresAt` is a miss, never a verdict; only a tombstone or the truth says no.
// One load in flight per key; loads in all are capped; a fill that a forget overtook is not kept (DESIGN 3 and 4).
import type { Clock } from '../clock.ts'
import { LatchkeyError, unavailable } from '../errors.ts'
import { createBoundedMap, homeless, type Home } from './bounded-map.ts'
import type { Breaker } from './breaker.ts'
import { createBurials } from './burials.ts'
import { readCopy, writeCopy, type Codec } from './copy-text.ts'
import { createForgetRing } from './forget-ring.ts'
import { deafAfterMs, type Hearing } from './revocation-channel.ts'
import { askShared, tombstone, type GuardedTier } from './shared-tier.ts'

/** The tiers behind memory. */
export type LoadTier = 'redis' | 'mongo'
export type Tier = 'memory' | LoadTier

/** A value in this process's memory. One object per key for as long as it is held: whoever keeps it sees it change and die. */
export interface MemoryCopy<V> {
  home: Home
  readonly key: string
  value: V
  /** End of what the value describes, Clock.wall(). */
  expiresAt: number
  /** End of this copy, Clock.mono(). */
  validUntil: number
  /** Begin of the read that brought it, Clock.mono(). */
  readAt: number
  /** Begin of the read of the truth behind it, Clock.wall(): of two copies of a key the later one counts. */
  trueAt: number
}

/** What the truth says of a key: a value and its end (milliseconds since the epoch), or null for no. */
export type Truth<V> = { value: V, expiresAt: number } | null

/** An answer and the tier that gave it. `copy` is null for no. */
export interface Found<V> { copy: MemoryCopy<V> | null, tier: LoadTier }

/** A point in time on both clocks and in the order of forgets. */
export interface Moment { readonly mark: number, readonly readAt: number, readonly wall: number }

export interface TieredCache<V> {
  /** The copy in memory if it may answer now; synchronous. */
  peek: (key: string) => MemoryCopy<V> | undefined
  /**
   * Whether a copy that the caller has kept may still answer.
   * @param wall Clock.wall(), if the caller has just read it
   */
  mayAnswer: (copy: MemoryCopy<V>, wall?: number) => boolean
  /**
   * Asks the shared tier, then the truth.
   * @throws LatchkeyError `unavailable` when nobody can decide, `internal_error` as the load does
   */
  find: (key: string) => Promise<Found<V>>
  /** The present moment; take it before asking the truth, for `fill`. */
  now: () => Moment
  /**
   * Puts what the truth has just said into the tiers; best effort.
   * @param since the moment before the truth was asked: a forget that came later wins
   */
  fill: (key: string, truth: NonNullable<Truth<V>>, since: Moment) => Promise<void>
  /** Drops a key from this process. @returns whether memory held it */
  forget: (key: string) => boolean
  /** Drops every key from this process: some forgets were missed. */
  forgetAll: () => void
  /** Copies of the shared tier count only if they were read from now on: some burials did not reach it. */
  distrustShared: () => void
  /** Ends a key in the tiers after the truth has ended it: here at once, elsewhere by tombstone and message. */
  bury: (key: string) => Promise<void>
  /** The value of a key changed: its copies go, here at once, elsewhere by mark and message. */
  outdate: (key: string) => Promise<void>
  /** Sends the burials and the changes that could not be sent. */
  replay: () => Promise<void>
  /** Number of keys in memory. */
  size: () => number
}

export interface TieredCacheOptions<V> {
  clock: Clock
  /** A number from 0 up to 1, for the jitter that keeps copies from running out together. */
  random: () => number
  capacity: number
  /** Longest milliseconds that a copy may answer. */
  ttlMs: number
  hearing: Hearing
  /** Asks the truth. Rejects when it cannot answer; with `internal_error` when its answer cannot be used. */
  load: (key: string) => Promise<Truth<V>>
  codec: Codec<V>
  shared?: GuardedTier
  /** Guards the truth against a crowd while it is away. */
  breaker: Breaker
  /** Most loads at a time; more are refused with `unavailable`. */
  maxLoads?: number
  /** Told once for each burial or change that could not be sent. */
  onUnsent?: (error: unknown) => void
}

/** While the channel is cut, a copy in memory answers for this long after its read (DESIGN 4). */
const deafCopyMs = 1000

export function createTieredCache<V> (options: TieredCacheOptions<V>): TieredCache<V> {
  const { clock, random, ttlMs, hearing, load, codec, shared, breaker, maxLoads = 1000 } = options
  const memory = createBoundedMap<MemoryCopy<V>>(options.capacity)
  const flights = new Map<string, Promise<Found<V>>>()
  const forgotten = createForgetRing()
  const onUnsent = options.onUnsent ?? (() => { /* nobody asked */ })
  const burials = shared && createBurials(shared.tier, onUnsent)
  const changes = shared && createBurials({ bury: shared.tier.outdate, announce: shared.tier.announce }, onUnsent)
  let trustedFrom = 0 // Clock.wall(): copies of the shared tier read before this are not believed
  let loading = 0

  function mayAnswer (copy: MemoryCopy<V>, wall = clock.wall()): boolean {
    const now = clock.mono()
    if (!copy.home.live || now >= copy.validUntil || wall >= copy.expiresAt) return false
    if (now - hearing.lastBeat > deafAfterMs && now - copy.readAt > deafCopyMs) return false
    memory.touch(copy.key, copy)
    return true
  }

  function peek (key: string): MemoryCopy<V> | undefined {
    const copy = memory.get(key)
    return copy !== undefined && mayAnswer(copy) ? copy : undefined
  }

  /** Keeps a value in memory unless its key was forgotten since the mark; always gives the caller a copy to look at. */
  function keep (key: string, fields: Omit<MemoryCopy<V>, 'home' | 'key'>, mark: number): MemoryCopy<V> {
    if (forgotten.forgottenSince(mark, key)) return { home: homeless(), key, ...fields }
    const held = memory.get(key)
    if (held !== undefined && held.trueAt > fields.trueAt && mayAnswer(held)) return held
    const copy = held === undefined ? { home: homeless(), key, ...fields } : Object.assign(held, fields)
    if (held === undefined) memory.set(key, copy)
    else memory.touch(key, copy)
    return copy
  }

  function find (key: string): Promise<Found<V>> {
    const running = flights.get(key)
    if (running !== undefined) return running
    if (loading >= maxLoads) return Promise.reject(unavailable(new Error('too many loads in flight')))
    loading++
    const land = (): void => {
      loading--
      if (flights.get(key) === flight) flights.delete(key)
    }
    // each promise more on this path is paid for by every check that Redis answers
    const flight: Promise<Found<V>> = ask(key).then((found) => {
      land()
      return found
    }, (error: unknown) => {
      land()
      throw error
    })
    flights.set(key, flight)
    return flight
  }

  // whole milliseconds: V8 keeps small whole numbers in the object itself, and makes any other one an object
  const now = (): Moment => ({ mark: forgotten.mark(), readAt: Math.floor(clock.mono()), wall: clock.wall() })

  function ask (key: string): Promise<Found<V>> {
    if (shared === undefined || !shared.breaker.allows()) return askTruth(key)
    const { tier, breaker } = shared
    const since = now()
    return tier.get(key).then((text) => {
      breaker.succeeded()
      if (text === tombstone) return { copy: null, tier: 'redis' }
      const fields = text === null ? undefined : believe(key, text, since.readAt)
      return fields === undefined ? askTruth(key) : { copy: keep(key, fields, since.mark), tier: 'redis' }
    }, () => {
      breaker.failed()
      return askTruth(key)
    })
  }

  async function askTruth (key: string): Promise<Found<V>> {
    const since = now()
    const truth = await fromTruth(key)
    return { copy: truth === null ? null : await spread(key, truth, since), tier: 'mongo' }
  }

  /** Writes a truth into the shared tier, then into memory whatever the shared tier then holds. */
  async function spread (key: string, truth: NonNullable<Truth<V>>, since: Moment): Promise<MemoryCopy<V> | null> {
    const lifeMs = Math.round(ttlMs * (1 - 0.2 * random()))
    const fields = { value: truth.value, expiresAt: truth.expiresAt, validUntil: since.readAt + lifeMs, readAt: since.readAt, trueAt: since.wall }
    const endsAt = Math.min(since.wall + lifeMs, truth.expiresAt)
    const restMs = endsAt - clock.wall()
    if (restMs < 1) return keep(key, fields, since.mark)
    const text = writeCopy({ readAt: since.wall, endsAt, expiresAt: truth.expiresAt, value: truth.value }, codec)
    const held = await askShared(shared, (tier) => tier.put(key, text, since.wall, restMs))
    if (held === tombstone) return null
    const later = typeof held === 'string' && held !== text ? believe(key, held, since.readAt) : undefined
    return keep(key, later ?? fields, since.mark)
  }

  /** A copy of the shared tier as fields, or undefined if it may not be believed. Ages move to Clock.mono() here. */
  function believe (key: string, text: string, readAt: number): Omit<MemoryCopy<V>, 'home' | 'key'> | undefined {
    const copy = readCopy(text, codec)
    const wall = clock.wall()
    if (copy === undefined || copy.endsAt <= wall || copy.expiresAt <= wall) return undefined
    if (copy.readAt < trustedFrom || copy.readAt <= forgotten.lastForgotten(key)) return undefined
    // another instance's clock may be ahead: no copy is believed for longer than ours would be
    return { value: copy.value, expiresAt: copy.expiresAt, validUntil: readAt + Math.min(copy.endsAt - wall, ttlMs), readAt, trueAt: copy.readAt }
  }

  async function fromTruth (key: string): Promise<Truth<V>> {
    if (!breaker.allows()) throw unavailable(new Error('the store has not answered lately'))
    try {
      const truth = await load(key)
      breaker.succeeded()
      return truth
    } catch (error) {
      if (error instanceof LatchkeyError && error.code === 'internal_error') { // the truth has answered: what a host made of it is no outage
        breaker.succeeded()
        throw error
      }
      breaker.failed()
      throw unavailable(error)
    }
  }

  function forget (key: string): boolean {
    const wasHeld = memory.get(key) !== undefined
    forgotten.add(key, clock.wall())
    memory.delete(key)
    flights.delete(key) // who asks from now on must not get an answer that began before
    return wasHeld
  }

  return {
    peek,
    mayAnswer,
    find,
    now,
    async fill (key, truth, since) { await spread(key, truth, since) },
    forget,
    forgetAll () {
      forgotten.addAll()
      memory.clear()
      flights.clear()
    },
    distrustShared () { trustedFrom = clock.wall() },
    async bury (key) {
      forget(key)
      await burials?.bury(key)
    },
    async outdate (key) {
      forget(key)
      await changes?.bury(key)
    },
    async replay () { await Promise.all([burials?.replay(), changes?.replay()]) },
    size: memory.size
  }
}
