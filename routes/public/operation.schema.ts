// What the probes and the catalogue of problems read and send.
import { Type } from '@sinclair/typebox'
import { errorCodes } from '../../src/errors.ts'
import { HealthAnswer } from '../../src/schemas/health-shapes.ts'
import { oneOf } from '../../src/schemas/one-of.ts'
import { problems } from '../../src/schemas/problem.ts'
import { closed, ref } from '../../src/schemas/shapes.ts'

export const livenessSchema = {
  operationId: 'livez',
  tags: ['operation'],
  summary: 'Is the process alive?',
  response: {
    200: closed({ status: oneOf(['ok']) }, { description: 'It is.' }),
    ...problems({ safe: true })
  }
}

export const readinessSchema = {
  operationId: 'readyz',
  tags: ['operation'],
  summary: 'May it be sent requests?',
  description: '`degraded`: Redis is away or revocations of other instances are not heard; MongoDB decides meanwhile. 503: MongoDB does not answer or its indexes do not stand yet.',
  response: {
    200: closed({
      status: oneOf(['ready', 'degraded']),
      mongo: oneOf(['connected', 'embedded']),
      redis: oneOf(['connected', 'disconnected', 'embedded']),
      channel: oneOf(['hearing', 'deaf', 'none'], { description: 'Whether revocations of other instances are heard.' })
    }, { description: 'It may.' }),
    ...problems({ safe: true })
  }
}

export const healthSchema = {
  operationId: 'health',
  tags: ['operation'],
  summary: 'How is the service?',
  description: 'From counters, so it takes as long with a million sessions as with one. 503 while MongoDB does not answer, with the same members beside those of a problem. `cache`, `uptime` and `worker`, of the process that answers, are for admins and for `METRICS_TOKEN`; outside production for anybody while that is not set.',
  response: {
    200: ref(HealthAnswer, 'It answers.'),
    ...problems({ safe: true })
  }
}

export const keySetSchema = {
  operationId: 'keySet',
  tags: ['operation'],
  summary: 'With what do other services verify access tokens?',
  description: 'The JWK Set (RFC 7517) of the key pairs in ACCESS_TOKEN_KEYS: the one that signs and those that verify. Empty where secrets sign: they are not published. A signature says who somebody is, not whether the session still lives: only this service knows that.',
  response: {
    200: closed({
      keys: Type.Array(closed({
        kty: oneOf(['OKP']),
        crv: oneOf(['Ed25519']),
        x: Type.String({ examples: ['11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'] }),
        kid: Type.String({ description: 'Thumbprint of the key (RFC 7638).', examples: ['kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'] }),
        alg: oneOf(['EdDSA']),
        use: oneOf(['sig'])
      }))
    }, { description: 'The keys.' }),
    ...problems({ safe: true })
  }
}

export const problemSchema = {
  operationId: 'describeProblem',
  tags: ['operation'],
  summary: 'What a problem code means',
  params: closed({ code: Type.String({ maxLength: 64, examples: ['token_expired'] }) }),
  response: {
    200: closed({
      code: oneOf(errorCodes),
      status: Type.Integer(),
      title: Type.String(),
      detail: Type.String(),
      advice: Type.String()
    }, { description: 'The code\'s meaning and what to do.' }),
    ...problems({ safe: true, codes: ['not_found'] })
  }
}
