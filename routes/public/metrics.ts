// Door: the numbers of this instance, for whoever may look behind it. With METRICS=off it is not there.
import type { Doors } from '../doors.ts'
import { metricsSchema } from './metrics.schema.ts'

export default async function metrics (scope: Doors): Promise<void> {
  if (!scope.meter.isOn) return
  scope.get('/metrics', { schema: metricsSchema(scope.isOpenToAll), onRequest: scope.requireOperator }, async (_request, reply) => {
    const text = await scope.meter.scrape()
    return reply.type(scope.meter.contentType).send(text)
  })
}
