// The list of what must hold, by the names of REQUIREMENTS section 4.
import { limiter, passwords, registration } from './accounts.ts'
import { noFork, oneRotation, thiefLoses } from './chains.ts'
import { preferences, profile } from './registers.ts'
import { boundedness, counters } from './service.ts'
import { expiry, honestRetry, identity, noFalseLogout, revocation, sessionList } from './sessions.ts'
import type { Invariant } from './verdict.ts'
import { archive, pages } from './visits.ts'

export const invariants = {
  I1: { what: 'what was ended is dead everywhere within T', holds: revocation },
  I2: { what: 'nobody is signed out by nobody', holds: noFalseLogout },
  I3: { what: 'a refresh token has one successor', holds: noFork },
  I4: { what: 'as many rotations as tokens handed out', holds: oneRotation },
  I5: { what: 'an honest retry is not punished', holds: honestRetry },
  I6: { what: 'a thief gets nothing', holds: thiefLoses },
  I7: { what: 'a registration lasts, and is the only one', holds: registration },
  I8: { what: 'the last password is the password', holds: passwords },
  I9: { what: 'preferences are those written last', holds: preferences },
  I10: { what: 'the profile is no older than T', holds: profile },
  I11: { what: 'every page is there, once, in order', holds: pages },
  I12: { what: 'a visit is archived once', holds: archive },
  I13: { what: 'answers are about whoever asks', holds: identity },
  I14: { what: 'guesses are limited', holds: limiter },
  I15: { what: 'nothing lets in after its end', holds: expiry },
  I16: { what: 'every answer in time, nothing piles up', holds: boundedness },
  I17: { what: 'the list of devices is what lives', holds: sessionList },
  I18: { what: 'the count of sessions is what lives', holds: counters }
} as const satisfies Record<string, { what: string, holds: Invariant }>

export type InvariantName = keyof typeof invariants
export const invariantNames = Object.keys(invariants) as InvariantName[]
