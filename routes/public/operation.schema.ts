// What the probes and the catalogue of problems read and send.
import { Type } from '@sinclair/typebox'
import { errorCodes, errorList } from '../../src/errors.ts'
import { HealthAnswer } from '../../src/schemas/health-shapes.ts'
import { oneOf } from '../../src/schemas/one-of.ts'
import { problems } from '../../src/schemas/problem.ts'
import { closed, ref } from '../../src/schemas/shapes.ts'
import { operator } from './metrics.schema.ts'

export const livenessSchema = {
  operationId: 'livez',
  tags: ['operation'],
  summary: 'Is the process alive?',
  description: 'Answers as long as the process can answer at all, and asks no store: restart it when this fails. Whether it may be sent requests is told by `/readyz`.',
  security: [],
  response: {
    200: closed({ status: oneOf(['ok']) }, { description: 'It is.', examples: [{ status: 'ok' }] }),
    ...problems({ safe: true })
  }
}

export const readinessSchema = {
  operationId: 'readyz',
  tags: ['operation'],
  summary: 'May it be sent requests?',
  description: '`degraded`: Redis is away or revocations of other instances are not heard; MongoDB decides meanwhile. 503: MongoDB does not answer or its indexes do not stand yet.',
  security: [],
  response: {
    200: closed({
      status: oneOf(['ready', 'degraded']),
      mongo: oneOf(['connected', 'embedded']),
      redis: oneOf(['connected', 'disconnected', 'embedded']),
      channel: oneOf(['hearing', 'deaf', 'none'], { description: 'Whether revocations of other instances are heard.' })
    }, { description: 'It may.', examples: [{ status: 'ready', mongo: 'connected', redis: 'connected', channel: 'hearing' }] }),
    ...problems({ safe: true })
  }
}

export const healthSchema = {
  operationId: 'health',
  tags: ['operation'],
  summary: 'How is the service?',
  description: 'From counters, so it takes as long with a million sessions as with one. 503 while MongoDB does not answer, with the same members beside those of a problem. `cache`, `uptime` and `worker`, of the process that answers, are for admins and for `METRICS_TOKEN`; outside production for anybody while that is not set.',
  security: [{}, ...operator],
  response: {
    200: ref(HealthAnswer, 'It answers.'),
    ...problems({ safe: true })
  }
}

/** The key of RFC 8037, appendix A. */
const exampleKey = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k', alg: 'EdDSA', use: 'sig' }

export const keySetSchema = {
  operationId: 'keySet',
  tags: ['operation'],
  summary: 'With what do other services verify access tokens?',
  description: 'The JWK Set (RFC 7517) of the key pairs in ACCESS_TOKEN_KEYS: the one that signs and those that verify. Empty where secrets sign: they are not published. A signature says who somebody is, not whether the session still lives: only this service knows that.',
  security: [],
  response: {
    200: closed({
      keys: Type.Array(closed({
        kty: oneOf(['OKP']),
        crv: oneOf(['Ed25519']),
        x: Type.String({ description: 'The public key.' }),
        kid: Type.String({ description: 'Thumbprint of the key (RFC 7638).' }),
        alg: oneOf(['EdDSA']),
        use: oneOf(['sig'])
      }))
    }, { description: 'The keys.', examples: [{ keys: [exampleKey] }] }),
    ...problems({ safe: true })
  }
}

export const problemSchema = {
  operationId: 'describeProblem',
  tags: ['operation'],
  summary: 'What a problem code means',
  description: 'Where the `type` of every problem leads: the status of its `code`, what it means, and what a client does about it. `docs/errors.md` of the package lists them all.',
  security: [],
  params: closed({ code: Type.String({ maxLength: 64, description: 'The `code` of a problem.', examples: ['token_expired'] }) }),
  response: {
    200: closed({
      code: oneOf(errorCodes),
      status: Type.Integer(),
      title: Type.String({ description: 'What it is, in a few words.' }),
      detail: Type.String({ description: 'What it means.' }),
      advice: Type.String({ description: 'What to do about it.' })
    }, { description: 'The code\'s meaning and what to do.', examples: [{ code: 'token_expired', ...errorList.token_expired }] }),
    ...problems({ safe: true, codes: ['not_found'] })
  }
}
