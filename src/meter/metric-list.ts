// Room `meter`: the closed list of everything that is counted and timed, as it stands in /metrics, in docs/operations.md and
// in the dashboard. Names follow Prometheus: seconds, `_total` for what only grows. A label lists its values, so that a
// counter stands at 0 before its first event (a rule that looks for an increase would otherwise miss that event); what is
// made by `open` may have others too, always of a small set that the code or the errors' list bounds. No label is called
// `job` or `instance`: those are Prometheus' own.

type Labels = Readonly<Record<string, readonly string[]>>

const open = (...known: string[]): readonly string[] => known
const none = {} as const
const counter = <const L extends Labels = typeof none>(help: string, labels: L = none as L) => ({ type: 'counter', help, labels }) as const
const gauge = <const L extends Labels = typeof none>(help: string, labels: L = none as L) => ({ type: 'gauge', help, labels }) as const
/** @param buckets upper ends, seconds */
const histogram = <const L extends Labels = typeof none>(help: string, buckets: readonly number[], labels: L = none as L) => ({ type: 'histogram', help, labels, buckets }) as const

export const metricList = {
  latchkey_checks_total: counter('Checks of access tokens, by the tier that decided and what it said; `none` asked no session.', {
    tier: ['memory', 'redis', 'mongo', 'none'],
    result: ['ok', 'session_revoked', 'token_expired', 'token_invalid', 'unavailable']
  }),
  latchkey_check_seconds: histogram('Time of the checks that Redis or MongoDB decided.', [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5], { tier: ['redis', 'mongo'] }),
  latchkey_memory_entries: gauge('Entries held in this process: sessions, and verified tokens.', { kind: ['sessions', 'tokens'] }),
  latchkey_profile_reads_total: counter('Profiles read, by the tier that answered.', { tier: ['redis', 'mongo'] }),

  latchkey_revocations_total: counter('Sessions that this instance ended.', {
    reason: ['logout', 'logout_all', 'refresh_token_reused', 'session_limit', 'token_version_moved', 'password_changed', 'device', 'other_devices']
  }),
  latchkey_revocations_heard_total: counter('Sessions that were dropped from memory because another instance said so.'),
  latchkey_revocations_unsent_total: counter('Revocations that Redis did not take at once; they are sent again.'),
  latchkey_revocation_messages_total: counter('Messages heard on the channel of revocations, own ones included: sessions that ended and profiles that changed.'),
  latchkey_revocation_channel_hearing: gauge('Whether revocations of other instances are heard; absent where there is nobody to hear from.'),
  latchkey_revocation_lag_seconds: histogram('Time from sending to hearing on the channel of revocations, by the own beat of each second.', [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]),

  latchkey_logins_total: counter('Logins, by outcome.', { outcome: open('ok', 'invalid_credentials', 'rate_limited', 'unavailable') }),
  latchkey_registrations_total: counter('Registrations, by outcome.', { outcome: open('ok', 'email_taken', 'username_taken', 'rate_limited', 'unavailable') }),
  latchkey_refreshes_total: counter('Refreshes by refresh token, and renewals by access token, by outcome.', {
    kind: ['refresh', 'renewal'],
    outcome: open('ok', 'refresh_token_invalid', 'refresh_token_expired', 'refresh_token_reused', 'session_revoked', 'token_expired', 'token_invalid', 'unavailable')
  }),
  latchkey_audit_events_total: counter('Events of the audit stream, also those that were counted into a later line.', { event: open() }),

  latchkey_password_hashes: gauge('Password hashes that are computed now, and that wait for a thread.', { state: ['running', 'waiting'] }),
  latchkey_password_hash_seconds: histogram('Time of a password hash, its wait included.', [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10], { operation: ['hash', 'verify', 'replace'] }),
  latchkey_password_hashes_refused_total: counter('Password hashes that were refused because too many waited.'),

  latchkey_store_seconds: histogram('Time of an operation of a store, as the service waited for it.', [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5], { store: ['redis', 'mongo'], operation: open() }),
  latchkey_store_failures_total: counter('Operations that a store did not answer or refused.', { store: ['redis', 'mongo'], operation: open() }),
  latchkey_store_connected: gauge('Whether a store answers; Redis is absent where there is none.', { store: ['redis', 'mongo'] }),
  latchkey_breaker_open: gauge('Whether a store is passed by because it failed several times in a row.', {
    breaker: ['sessions_redis', 'sessions_mongo', 'profiles', 'limits', 'guest_visits']
  }),

  latchkey_visits_begun_total: counter('Visits that began.', { visitor: ['guest', 'user'] }),
  latchkey_visit_entries_total: counter('Pages and actions that were noted.', { visitor: ['guest', 'user'], kind: ['page', 'action'] }),
  latchkey_visit_failures_total: counter('Visits that could not be carried over or archived; the job tries again.'),

  latchkey_job_runs_total: counter('Runs of jobs on this instance, by outcome.', { job_name: open(), outcome: open() }),
  latchkey_job_seconds: histogram('Time of a run of a job.', [0.01, 0.1, 0.5, 2.5, 10, 60, 300], { job_name: open() }),
  latchkey_job_items_total: counter('What runs of jobs have done, by kind.', { job_name: open(), kind: open() }),

  latchkey_active_sessions: gauge('Live sessions in all, as the statistics have them.'),
  latchkey_cached_profiles: gauge('Profiles with a copy in Redis, as the statistics have them.'),
  latchkey_blacklisted_tokens: gauge('Sessions whose tokens are refused until their natural end, as the statistics have them.')
} as const

type List = typeof metricList
export type MetricName = keyof List
type OfType<T extends List[MetricName]['type']> = { [N in MetricName]: List[N]['type'] extends T ? N : never }[MetricName]
export type CounterName = OfType<'counter'>
export type GaugeName = OfType<'gauge'>
export type HistogramName = OfType<'histogram'>

/** A value for each label of a metric. */
export type LabelsOf<N extends MetricName> = { readonly [L in keyof List[N]['labels']]: List[N]['labels'][L] extends readonly (infer V)[] ? V : never }

/** Any metric of the list, for those who go through all of it. */
export interface Metric { readonly type: 'counter' | 'gauge' | 'histogram', readonly help: string, readonly labels: Labels, readonly buckets?: readonly number[] }
