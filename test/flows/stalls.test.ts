// Story: the process stands still for longer than a command may take: a host's own work, or a machine that is too busy. What
// Redis answered meanwhile is there when it goes on, and is heard: no guest gets a 503, and no tier is passed by for it.
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { realEngines } from '../helper/engines.ts'
import { register, tierOf } from '../helper/people.ts'
import { startService } from '../helper/service.ts'
import { visitorAt } from '../helper/visitors.ts'

const skip = !realEngines && 'what is in this process does not answer while it stands still'

/** Lets the process do a little, and stand still for twice as long as a command may take, several times. */
async function standStill (): Promise<void> {
  for (let stalls = 0; stalls < 8; stalls++) {
    for (let turn = 0; turn < 2; turn++) await setImmediate()
    for (const until = performance.now() + 300; performance.now() < until;);
  }
}

await t.test('all pages of a guest are taken', { skip }, async (t) => {
  const guest = visitorAt([await startService(t)])
  await guest.call('POST', '/api/session')
  const pages = Array.from({ length: 30 }, (_, n) => guest.page(`/${n}`))
  await standStill()
  t.strictSame((await Promise.all(pages)).map(({ status }) => status), pages.map(() => 201))
})

await t.test('checks are answered by Redis, and MongoDB does not hear of them', { skip }, async (t) => {
  const service = await startService(t, { env: { MEMORY_TIER_ENTRIES: '0' } })
  const { accessToken: token } = await register(service)
  const checks = Array.from({ length: 30 }, () => service.get('/api/protected', { token }))
  await standStill()
  t.strictSame((await Promise.all(checks)).map((answer) => [answer.status, tierOf(answer)]), checks.map(() => [200, 'redis']))
})
