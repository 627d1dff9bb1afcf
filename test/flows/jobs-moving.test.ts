// Story: a process that holds a job is killed in the middle of it. Somebody else has the job within a minute
// (REQUIREMENTS K4, F-P1).
import t from 'tap'
import { realEngines } from '../helper/engines.ts'
import { startProcess } from '../helper/process.ts'
import { createDeployment, startService, until } from '../helper/service.ts'

const skip = !realEngines && 'needs two instances'

await t.test('K4 a holder that is killed in the middle of a run loses the job within a minute', { skip }, async (t) => {
  const deployment = createDeployment(t)
  const env = { CLEANUP_INTERVAL_SECONDS: '10' }
  const service = await startService(t, { deployment, env: { CLEANUP_INTERVAL_SECONDS: '86400' } })
  const leases = service.db.collection<{ _id: string, holder: string }>('leases')
  const holder = async (): Promise<string | undefined> => (await leases.findOne({ _id: 'clean-up' }))?.holder
  // an empty name is no holder: a lease is made before it is taken
  await until(async () => Boolean(await holder()), 'a first run', 20_000)
  const own = await holder()
  const victim = startProcess(t, { ...deployment.env, ...env })
  await victim.origin
  await until(async () => {
    await leases.updateOne({ _id: 'clean-up', holder: own as string }, [{ $set: { until: '$$NOW' } }])
    return await holder() !== own
  }, 'the other process holds the job', 20_000)
  victim.child.kill('SIGKILL')
  await victim.ended
  // what a death in the middle of a run leaves: a lease that is held and not renewed
  await leases.updateOne({ _id: 'clean-up' }, [{ $set: { until: { $add: ['$$NOW', 30_000] } } }])
  const begin = performance.now()
  await until(async () => await holder() === own, 'the first one has it', 60_000)
  t.comment(`measured: a job whose holder was killed is somebody else's after ${Math.round(performance.now() - begin)} ms`)
})
