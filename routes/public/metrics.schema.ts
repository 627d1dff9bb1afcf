// What `metrics` sends.
import { Type } from '@sinclair/typebox'
import { problems } from '../../src/schemas/problem.ts'

/** The token of the metrics, or that of an admin. */
export const operator = [{ metricsToken: [] }, { bearer: [] }, { accessTokenHeader: [] }, { accessTokenCookie: [] }]

/** @param isOpenToAll whether nothing needs to be sent */
export const metricsSchema = (isOpenToAll: boolean) => ({
  operationId: 'metrics',
  tags: ['operation'],
  summary: 'Numbers for Prometheus',
  description: 'Counters, gauges and histograms of this instance and its process, in Prometheus\' text format. For whoever has `METRICS_TOKEN`, and for admins; where that is not set, for anybody outside production.',
  security: isOpenToAll ? [{}, ...operator] : operator,
  response: {
    200: {
      description: 'The numbers.',
      content: { 'text/plain': { schema: Type.String({ examples: ['# TYPE latchkey_checks_total counter\nlatchkey_checks_total{tier="memory",result="ok"} 1027\n'] }) } }
    },
    ...problems({ safe: true, guarded: true, codes: ['forbidden'] })
  }
})
