// The alternatives, and what the rounds of one say: a result and a row of the table. Pure; peers.mjs measures.
import { addedMicros, figuresOf, isNoisy, shareOf } from './figures.mjs'

const atOnce = 'at once'
const atItsEnd = 'when the token ends'

/** `file` in bench/peers, with its BENCH_VARIANT; `signOut`: when the check feels that somebody has signed out. */
export const alternatives = [
  { name: 'latchkey', what: 'Latchkey, from memory', ours: true, file: 'latchkey', signOut: atOnce },
  { name: 'latchkey-redis', what: 'Latchkey, from Redis', ours: true, file: 'latchkey', variant: 'redis', signOut: atOnce },
  { name: 'fastify-jwt-cache-plain', what: '@fastify/jwt, cache keyed by token', file: 'fastify-jwt', variant: 'cache,plain', signOut: atItsEnd },
  { name: 'fastify-jwt-cache', what: '@fastify/jwt, cache', file: 'fastify-jwt', variant: 'cache', signOut: atItsEnd },
  { name: 'fastify-jwt', what: '@fastify/jwt', file: 'fastify-jwt', signOut: atItsEnd },
  { name: 'fastify-jwt-cache-redis', what: '@fastify/jwt, cache, one Redis GET', file: 'fastify-jwt', variant: 'cache,redis', signOut: atOnce },
  { name: 'fastify-jwt-redis', what: '@fastify/jwt, one Redis GET', file: 'fastify-jwt', variant: 'redis', signOut: atOnce },
  { name: 'fastify-session', what: '@fastify/session on Redis', file: 'fastify-session', signOut: atOnce },
  { name: 'express-session', what: 'express-session, connect-redis', file: 'express-session', signOut: atOnce },
  { name: 'better-auth', what: 'better-auth, Redis', file: 'better-auth', signOut: atOnce },
  { name: 'better-auth-cookie', what: 'better-auth, Redis, cookie cache', file: 'better-auth', variant: 'cookie-cache', signOut: 'when the cookie ends' },
  { name: 'seeds-token-cache', what: 'Express, token cached in Redis', file: 'seeds', variant: 'token-cache', signOut: atItsEnd },
  { name: 'seeds-key-object', what: 'Express, jsonwebtoken KeyObject, Redis', file: 'seeds', variant: 'key-object', signOut: atOnce },
  { name: 'seeds', what: 'Express, jsonwebtoken, Redis', file: 'seeds', signOut: atOnce }
]

/** What the rounds of one alternative say. CPU is in microseconds a request. */
export function resultOf ({ name, what, ours = false, signOut }, samples, operations) {
  const [guarded, unguarded, reference] = [samples.guarded, samples.unguarded, samples.reference].map(figuresOf)
  return {
    name,
    what,
    ours,
    signOut,
    operations,
    ...shareOf(samples.guarded, samples.reference),
    ofItsOwn: shareOf(samples.guarded, samples.unguarded),
    control: shareOf(samples.control, samples.reference).share,
    cpu: { aboveItsOwn: addedMicros(samples.guarded, samples.unguarded), aboveReference: addedMicros(samples.guarded, samples.reference) },
    guarded,
    unguarded,
    reference,
    samples
  }
}

export const heads = ['', 'share of a route without a check', 'middle half', 'share of its own', 'control', 'requests/s', 'CPU µs/request', 'above its own', 'above the reference', 'p50 ms', 'p99 ms', 'Redis', 'MongoDB', 'a sign-out is felt']

const above = (micros, digits = 1) => `${micros < 0 ? '' : '+'}${micros.toFixed(digits)}`

/** One row of the table. */
export function cellsOf ({ what, ours, share, spread, ofItsOwn, control, guarded, cpu, operations, signOut }) {
  return [
    ours ? `**${what}**` : what, share.toFixed(2), spread.map((ratio) => ratio.toFixed(2)).join('-'), ofItsOwn.share.toFixed(2), control.toFixed(2) + (isNoisy(control) ? ' VOID: the machine was too noisy' : ''),
    Math.round(guarded.perSecond), guarded.cpuMicros.toFixed(1), above(cpu.aboveItsOwn), above(cpu.aboveReference),
    guarded.p50.toFixed(1), guarded.p99.toFixed(1), operations.redis, operations.mongo, signOut
  ]
}

/** Rows of the bar chart, the fastest first: the share of a route without a check, and the CPU above it. */
export const barsOf = (results) => [...results].sort((a, b) => b.share - a.share).map(({ what, ours, share, spread: [low, high], cpu: { aboveReference } }) => {
  return { label: what, ours, value: share, low, high, note: `${above(aboveReference, Math.abs(aboveReference) < 100 ? 1 : 0)} µs` }
})
