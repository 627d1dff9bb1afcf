// Room `token`: the check that runs on every guarded request (DESIGN 3). A memory hit is one look-up by a number from the
// token's signature, one comparison of its text and a few of numbers: no promise, no crypto, no I/O, nothing allocated.
// Everything else verifies the token first and then asks the tiers for its session.
import { createBoundedMap, homeless, type BoundedMap, type Home } from '../cache/bounded-map.ts'
import type { LoadTier, MemoryCopy, Tier, TieredCache } from '../cache/tiered-cache.ts'
import type { Clock } from '../clock.ts'
import { LatchkeyError } from '../errors.ts'
import type { LastSeen } from '../session/last-seen.ts'
import type { AccessTokens, Believed } from './access-token.ts'
import type { SessionCopy } from './session-copy.ts'

/** The copy of a session, whose key is the sid. */
export type CheckedCopy = Pick<MemoryCopy<SessionCopy>, 'key' | 'value'>

/** A session that lives, and the tier that said so. */
export interface Checked { readonly copy: CheckedCopy, readonly tier: Tier }

export interface SessionCheck {
  /**
   * The memory hit, at once: the copy that answers for an Authorization header, if this text was verified and its session
   * may be answered for from memory. Otherwise undefined, which says nothing: ask `ask`.
   * @param authorization value of the header, as it came
   */
  hit: (authorization: string) => CheckedCopy | undefined
  /**
   * Decides about a token. What comes at once came from memory; a promise comes from another tier.
   * @throws LatchkeyError `token_invalid`, `token_expired`; rejects with `session_revoked` or `unavailable`
   */
  ask: (text: string) => CheckedCopy | Promise<Checked>
  /** Checks answered so far, by tier. */
  readonly counts: Readonly<Record<Tier, number>>
  /** Checks refused so far, by the tier that decided; `none` asked no session, or none could be asked. */
  readonly refusals: Refusals
  /** Entries held: verified token texts. */
  memoSize: () => number
}

export interface Refusals {
  readonly none: Readonly<Record<'token_invalid' | 'token_expired' | 'unavailable', number>>
  readonly redis: Readonly<Record<'session_revoked', number>>
  readonly mongo: Readonly<Record<'session_revoked', number>>
}

/** A verified token: a memo of a pure function and no authority, its session is asked each time. */
interface Memo {
  home: Home
  readonly key: number
  /** The token behind `Bearer `: as nearly everybody sends it, so that it is compared as it comes. */
  readonly text: string
  readonly sub: string
  readonly sid: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  copy: MemoryCopy<SessionCopy> | undefined
  /** The last round in which it was noted that the session was seen. */
  seenIn: number
}

export interface SessionCheckOptions {
  tokens: AccessTokens
  cache: TieredCache<SessionCopy>
  lastSeen: Pick<LastSeen, 'round' | 'note'>
  clock: Clock
  /** Verified texts kept; 0 keeps none. */
  memoEntries: number
  /** Told of each check that a tier behind memory decided, and of the seconds that it took. */
  onLoad?: (tier: LoadTier, seconds: number) => void
}

const scheme = 'Bearer '

/**
 * A number of 32 bits from the characters before a token's last one (which holds only some bits): its signature, as random as
 * a hash of the whole. Nothing is sliced, hashed or made for it, and a number is found without looking at a text (measured
 * with fresh texts: 55 ns with the comparison; the signature as text 180). Another text with the same number only takes its
 * place after it was verified; of two such tokens in turn each is verified anew (some seven pairs among 250,000).
 */
function keyOf (text: string): number {
  let key = 0
  for (let at = text.length - 8; at < text.length - 1; at++) key = (Math.imul(key, 31) + text.charCodeAt(at)) | 0
  return key
}

const isTokenOf = (memo: Memo, text: string): boolean => memo.text.length === scheme.length + text.length && memo.text.endsWith(text)

export function createSessionCheck ({ tokens, cache, lastSeen, clock, memoEntries, onLoad }: SessionCheckOptions): SessionCheck {
  const memos: BoundedMap<Memo, number> = createBoundedMap<Memo, number>(memoEntries)
  const counts = { memory: 0, redis: 0, mongo: 0 }
  const refusals = { none: { token_invalid: 0, token_expired: 0, unavailable: 0 }, redis: { session_revoked: 0 }, mongo: { session_revoked: 0 } }

  function memoOf (text: string): Memo {
    const held = memos.get(keyOf(text))
    if (held === undefined || !isTokenOf(held, text)) return learn(text)
    if (held.expiresAt <= clock.wall()) throw refused(new LatchkeyError('token_expired'))
    memos.touch(held.key, held)
    return held
  }

  function refused (error: unknown): unknown {
    if (error instanceof LatchkeyError && (error.code === 'token_invalid' || error.code === 'token_expired')) refusals.none[error.code]++
    return error
  }

  function read (unverified: string): Believed {
    try {
      return tokens.read(unverified)
    } catch (error) {
      throw refused(error)
    }
  }

  function learn (unverified: string): Memo {
    const { sub, sid, exp } = read(unverified)
    const text = Buffer.from(scheme + unverified, 'latin1').toString('latin1') // one flat text: a slice would keep its request's header alive
    const memo: Memo = { home: homeless(), key: keyOf(text), text, sub, sid, expiresAt: exp * 1000, copy: undefined, seenIn: 0 }
    memos.set(memo.key, memo)
    return memo
  }

  function see (memo: Memo): void {
    memo.seenIn = lastSeen.round
    lastSeen.note(memo.sid, clock.wall())
  }

  /** The session of a token that is new here, or whose copy may not answer any more. */
  function find (memo: Memo): CheckedCopy | Promise<Checked> {
    const held = cache.peek(memo.sid)
    if (held === undefined || held.value.user.id !== memo.sub) return load(memo)
    memo.copy = held
    counts.memory++
    see(memo)
    return held
  }

  function load (memo: Memo): Promise<Checked> {
    const begin = clock.mono()
    return cache.find(memo.sid).then(({ copy, tier }) => {
      onLoad?.(tier, (clock.mono() - begin) / 1000)
      if (copy === null || copy.value.user.id !== memo.sub) {
        refusals[tier].session_revoked++
        throw new LatchkeyError('session_revoked')
      }
      memo.copy = copy
      counts[tier]++
      if (memo.seenIn !== lastSeen.round) see(memo)
      return { copy, tier }
    }, (error: unknown) => {
      refusals.none.unavailable++
      throw error
    })
  }

  return {
    hit (authorization) {
      const memo = memos.get(keyOf(authorization))
      if (memo === undefined || memo.text !== authorization || memo.copy === undefined) return undefined
      const wall = clock.wall()
      if (memo.expiresAt <= wall || !cache.mayAnswer(memo.copy, wall)) return undefined
      memos.touch(memo.key, memo)
      if (memo.seenIn !== lastSeen.round) see(memo)
      counts.memory++
      return memo.copy
    },
    ask (text) {
      const memo = memoOf(text)
      if (memo.copy === undefined || !cache.mayAnswer(memo.copy)) return find(memo)
      if (memo.seenIn !== lastSeen.round) see(memo)
      counts.memory++
      return memo.copy
    },
    counts,
    refusals,
    memoSize: memos.size
  }
}
