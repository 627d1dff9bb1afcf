// The lifetimes and limits of a run, which the instances are started with and the checker judges by. They are short, so that
// everything that takes time happens within a run.

export interface Rules {
  /** Within this a revocation or a change is known everywhere while nothing is broken, milliseconds (T). */
  tMs: number
  /** The same if a store, the network or an instance was broken meanwhile (T_fault = VERDICT_TTL_SECONDS and PROFILE_TTL_SECONDS). */
  faultMs: number
  graceMs: number
  accessMs: number
  idleMs: number
  absoluteMs: number
  visitIdleMs: number
  archiveMs: number
  cleanUpMs: number
  /** Within this a job whose run has failed, or whose holder has died, runs elsewhere (REQUIREMENTS K4). */
  jobMovesMs: number
  loginLimit: number
  /** Longest that a call may take while its instance runs. */
  callMs: number
  /** Longest that one may take that hashes a password (REQUIREMENTS B11). */
  hashMs: number
  /** By how much two readings of time may differ: the clock of a token counts whole seconds, MongoDB's is another one. */
  slackMs: number
}

export const rules: Rules = {
  tMs: 3000,
  faultMs: 5000,
  graceMs: 2000,
  accessMs: 8000,
  idleMs: 25_000,
  absoluteMs: 40_000,
  visitIdleMs: 8000,
  archiveMs: 2000,
  cleanUpMs: 10_000,
  jobMovesMs: 60_000,
  loginLimit: 30,
  callMs: 5000,
  hashMs: 10_000,
  slackMs: 300
}

const seconds = (ms: number): string => String(ms / 1000)

/** @returns the environment of an instance that keeps them */
export const environmentOf = (rules: Rules): Record<string, string> => ({
  VERDICT_TTL_SECONDS: seconds(rules.faultMs),
  PROFILE_TTL_SECONDS: seconds(rules.faultMs),
  REFRESH_GRACE_SECONDS: seconds(rules.graceMs),
  ACCESS_TOKEN_EXPIRY: `${seconds(rules.accessMs)}s`,
  REFRESH_TOKEN_EXPIRY: `${seconds(rules.idleMs)}s`,
  SESSION_ABSOLUTE_EXPIRY: `${seconds(rules.absoluteMs)}s`,
  VISIT_IDLE_SECONDS: seconds(rules.visitIdleMs),
  VISIT_ARCHIVE_INTERVAL_SECONDS: seconds(rules.archiveMs),
  CLEANUP_INTERVAL_SECONDS: seconds(rules.cleanUpMs),
  HEALTHCHECK_INTERVAL_SECONDS: '5',
  LOGIN_LIMIT_PER_ACCOUNT: String(rules.loginLimit),
  LOGIN_LIMIT_PER_ADDRESS: '100000',
  SESSIONS_PER_USER: '1000',
  BCRYPT_COST: '10',
  BCRYPT_CONCURRENCY: '1'
})
