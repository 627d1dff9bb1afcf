// Room `token`: the check that runs on every guarded request (DESIGN 3). A memory hit is one look-up by a number from the
// token's signature, one comparison of what is kept of its text and a few of numbers: no promise, no crypto, no I/O, nothing allocated.
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
   * @param authorization value of the header as Node.js gives it, one byte a character
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
  /** What stands behind the last dot. */
  readonly signature: string
  /** What `fold` says of the whole. */
  readonly foldA: number
  readonly foldB: number
  sub: string
  sid: string
  /** Seconds since the epoch. */
  readonly exp: number
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
  randomBytes: (size: number) => Buffer
  /** Told of each check that a tier behind memory decided, and of the seconds that it took. */
  onLoad?: (tier: LoadTier, seconds: number) => void
}

const scheme = 'Bearer '

/** Bytes of a header that are looked at; no token that can be verified is longer than 5,122. */
const longestText = 8192

/** What a token is made of. A cookie may hold any character, and `fold` sees one byte of each. */
const plain = /^[\w.-]*$/

/**
 * A number of 32 bits from the characters before a token's last one (which holds only some bits): its signature, as random as
 * a hash of the whole. Nothing is sliced, hashed or made for it, and a number is found without looking at a text (measured
 * with fresh texts: 55 ns with a comparison; the signature as text 180). Another text with the same number only takes its
 * place after it was verified; of two such tokens in turn each is verified anew (some seven pairs among 250,000).
 */
function keyOf (text: string): number {
  let key = 0
  for (let at = text.length - 8; at < text.length - 1; at++) key = (Math.imul(key, 31) + text.charCodeAt(at)) | 0
  return key
}

export function createSessionCheck ({ tokens, cache, lastSeen, clock, memoEntries, randomBytes, onLoad }: SessionCheckOptions): SessionCheck {
  const memos: BoundedMap<Memo, number> = createBoundedMap<Memo, number>(memoEntries)
  const counts = { memory: 0, redis: 0, mongo: 0 }
  const refusals = { none: { token_invalid: 0, token_expired: 0, unavailable: 0 }, redis: { session_revoked: 0 }, mongo: { session_revoked: 0 } }

  const halves = new Uint16Array(longestText / 2)
  const bytes = Buffer.from(halves.buffer)
  const factors = Float64Array.from(new Uint32Array(Uint8Array.from(randomBytes(4 * (halves.length + 1))).buffer), (random) => random >>> 4)
  const ofLength = factors[halves.length] as number
  let foldA = 0
  let foldB = 0

  /**
   * Folds a token into `foldA` and `foldB`, which are kept instead of its text (two fifths of all that a token takes here). Each
   * two bytes are multiplied by a secret factor of 28 bits and added up: whatever somebody changes in a text, the sum stays the
   * same for one choice of factors in 2^28 (multilinear hashing, Carter and Wegman 1979), and doubles hold it to the last bit up
   * to 1,024 characters. One native copy and a loop of four sums, for a processor that does four at a time (measured with fresh
   * texts of 350 characters: 0.15 us; a loop over the characters 0.4, HalfSipHash 0.6).
   * @param scheme of an Authorization header that has none before its token; it counts as a part of it
   */
  function fold (text: string, scheme = ''): void {
    const from = scheme === '' ? 0 : bytes.write(scheme, 'latin1')
    const length = from + bytes.write(text, from, 'latin1')
    let one = length * ofLength
    let two = 0
    let three = 0
    let four = 0
    const whole = length >> 3 << 2 // what is left over is the end of the signature
    for (let at = 0; at < whole; at += 4) {
      one += (halves[at] as number) * (factors[at] as number)
      two += (halves[at + 1] as number) * (factors[at + 1] as number)
      three += (halves[at + 2] as number) * (factors[at + 2] as number)
      four += (halves[at + 3] as number) * (factors[at + 3] as number)
    }
    const sum = one + two + three + four
    foldA = sum | 0
    foldB = Math.floor(sum / 0x100000000)
  }

  /** Whether the memo is of this token, as `fold` was just called for it. */
  const isFolded = (memo: Memo, text: string): boolean => foldA === memo.foldA && foldB === memo.foldB && text.endsWith(memo.signature)

  function memoOf (text: string): Memo {
    fold(text, scheme)
    const held = memos.get(keyOf(text))
    if (held === undefined || !isFolded(held, text) || !plain.test(text)) return learn(text)
    if (held.exp * 1000 <= clock.wall()) throw refused(new LatchkeyError('token_expired'))
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

  /** @param text of which `fold` was just called */
  function learn (text: string): Memo {
    const { sub, sid, exp } = read(text)
    const signature = Buffer.from(text.slice(text.lastIndexOf('.') + 1), 'latin1').toString('latin1') // a slice would keep its request's header alive
    const memo: Memo = { home: homeless(), key: keyOf(text), signature, foldA, foldB, sub, sid, exp, copy: undefined, seenIn: 0 }
    memos.set(memo.key, memo)
    return memo
  }

  function see (memo: Memo): void {
    memo.seenIn = lastSeen.round
    lastSeen.note(memo.sid, clock.wall())
  }

  /** From now on this copy answers, and its texts are the memo's, too: they are the same. */
  function attach (memo: Memo, copy: MemoryCopy<SessionCopy>): void {
    memo.copy = copy
    memo.sid = copy.key
    memo.sub = copy.value.user.id
  }

  /** The session of a token that is new here, or whose copy may not answer any more. */
  function find (memo: Memo): CheckedCopy | Promise<Checked> {
    const held = cache.peek(memo.sid)
    if (held === undefined || held.value.user.id !== memo.sub) return load(memo)
    attach(memo, held)
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
      attach(memo, copy)
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
      if (memo === undefined || memo.copy === undefined) return undefined
      fold(authorization)
      if (!isFolded(memo, authorization)) return undefined
      const wall = clock.wall()
      if (memo.exp * 1000 <= wall || !cache.mayAnswer(memo.copy, wall)) return undefined
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
