// The inner scope: every socket and every door of the service, registered by hand. The order is the order of need; what belongs
// to a part stands behind its name, and is not there where the part is not mounted.
import type { FastifyInstance } from 'fastify'
import accountJobs from '../plugins/account-jobs.ts'
import accounts from '../plugins/accounts.ts'
import audit from '../plugins/audit.ts'
import authenticate from '../plugins/authenticate.ts'
import avatars from '../plugins/avatars.ts'
import consoleFiles from '../plugins/console-files.ts'
import cookies from '../plugins/cookies.ts'
import devices from '../plugins/devices.ts'
import errors from '../plugins/errors.ts'
import health from '../plugins/health.ts'
import hostAccounts from '../plugins/host-accounts.ts'
import hostHooks from '../plugins/host-hooks.ts'
import jobs from '../plugins/jobs.ts'
import legacyTokens from '../plugins/legacy-tokens.ts'
import limits from '../plugins/limits.ts'
import meter from '../plugins/meter.ts'
import methods from '../plugins/methods.ts'
import metrics from '../plugins/metrics.ts'
import mongo from '../plugins/mongo.ts'
import openapi from '../plugins/openapi.ts'
import operators from '../plugins/operators.ts'
import preferences from '../plugins/preferences.ts'
import profiles from '../plugins/profiles.ts'
import publicUser from '../plugins/public-user.ts'
import redis from '../plugins/redis.ts'
import revocations from '../plugins/revocations.ts'
import scheduler from '../plugins/scheduler.ts'
import security from '../plugins/security.ts'
import serialization from '../plugins/serialization.ts'
import statistics from '../plugins/statistics.ts'
import stores from '../plugins/stores.ts'
import tiers from '../plugins/tiers.ts'
import tokens from '../plugins/tokens.ts'
import validation from '../plugins/validation.ts'
import visitJobs from '../plugins/visit-jobs.ts'
import visitSession from '../plugins/visit-session.ts'
import visitorCookies from '../plugins/visitor-cookies.ts'
import visits from '../plugins/visits.ts'
import privateDoors from '../routes/private/index.ts'
import publicDoors from '../routes/public/index.ts'
import visitorDoors from '../routes/visitor/index.ts'
import type { ScopeOptions } from './scope-options.ts'

export interface AppOptions extends ScopeOptions {
  /** Whether addresses under the base that nobody answers are this scope's 404. */
  ownsNotFound: boolean
}

/** Builds the service into a scope. Whatever is registered in that scope afterwards shares its hooks and guards. */
export async function buildApp (scope: FastifyInstance, options: AppOptions): Promise<void> {
  const { parts } = options
  await scope.register(errors, options)
  await scope.register(methods)
  await scope.register(validation)
  await scope.register(serialization)
  await scope.register(security, options)
  await scope.register(cookies, options)
  await scope.register(visitorCookies, options)
  await scope.register(publicUser, options)
  await scope.register(meter, options)
  await scope.register(mongo, options)
  await scope.register(redis, options)
  await scope.register(stores, options)
  await scope.register(statistics, options)
  await scope.register(profiles, options)
  await scope.register(tiers, options)
  await scope.register(audit, options)
  await scope.register(hostHooks, options)
  await scope.register(revocations, options)
  await scope.register(hostAccounts, options)
  await scope.register(legacyTokens, options)
  await scope.register(tokens, options)
  if (parts.has('auth') || parts.has('visits')) await scope.register(limits, options)
  if (parts.has('auth')) {
    await scope.register(devices, options)
    await scope.register(accounts, options)
    await scope.register(avatars, options)
  }
  if (parts.has('preferences')) await scope.register(preferences, options)
  if (parts.has('visits')) await scope.register(visits, options)
  await scope.register(authenticate, options)
  if (parts.has('visits')) await scope.register(visitSession, options)
  await scope.register(scheduler, options)
  await scope.register(jobs, options)
  if (parts.has('auth')) await scope.register(accountJobs, options)
  if (parts.has('visits')) await scope.register(visitJobs, options)
  await scope.register(metrics, options)
  await scope.register(health, options)
  await scope.register(operators, options)
  await scope.register(openapi, options)
  if (parts.has('console')) await scope.register(consoleFiles, options)
  await scope.register(publicDoors, { parts })
  await scope.register(visitorDoors, { parts })
  if (parts.has('auth')) await scope.register(privateDoors)
  scope.answerOtherMethods()
}
