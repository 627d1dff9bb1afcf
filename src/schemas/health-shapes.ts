// Room `schemas`: how the service is. The first members are seed 002's, as its clients read them.
import { Type, type Static } from '@sinclair/typebox'
import { oneOf } from './one-of.ts'
import { closed } from './shapes.ts'

const count = (description: string) => Type.Integer({ minimum: 0, description })

const detail = {
  cache: closed({
    memory: count('Checks that this process answered from its memory.'),
    redis: count('Checks that Redis answered.'),
    mongo: count('Checks that MongoDB answered.'),
    hitRatio: Type.Number({ minimum: 0, maximum: 1, description: 'Part of all checks that needed no MongoDB.' })
  }),
  uptime: count('Seconds since this process began.'),
  worker: Type.Integer({ minimum: 1, description: 'Which one of several workers this process is (`WORKERS`).' })
}

const shown = {
  status: oneOf(['OK', 'DEGRADED'], { description: '`DEGRADED`: Redis does not answer, MongoDB decides meanwhile.' }),
  redis: oneOf(['connected', 'disconnected', 'embedded']),
  mongo: oneOf(['connected', 'disconnected', 'embedded']),
  sessionStats: closed({
    activeSessions: count('Sessions that live.'),
    cachedProfiles: count('Profiles that have a copy in Redis.'),
    blacklistedTokens: count('Sessions that were ended while access tokens of theirs may still be about.')
  }, { description: 'Counted as things happen, and put right by a job; while Redis does not answer, the last numbers known.' })
}

export const HealthAnswer = closed({ ...shown, cache: Type.Optional(detail.cache), uptime: Type.Optional(detail.uptime), worker: Type.Optional(detail.worker) }, {
  $id: 'LatchkeyHealthAnswer',
  description: 'How the service is. `cache`, `uptime` and `worker` are for whoever may see details.',
  examples: [{
    status: 'OK',
    redis: 'connected',
    mongo: 'connected',
    sessionStats: { activeSessions: 5, cachedProfiles: 3, blacklistedTokens: 2 },
    cache: { memory: 18_200, redis: 412, mongo: 96, hitRatio: 0.9949 },
    uptime: 86_400
  }]
})

type Answer = Static<typeof HealthAnswer>

/** With every detail that there is. */
export type Health = Answer & Required<Omit<Answer, 'worker'>>
