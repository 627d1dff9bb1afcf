// Story: two instances, each with its own numbers. Who ends a session counts the revocation, who hears of it counts that,
// and each measures how far behind the channel is.
import t from 'tap'
import { realEngines } from '../helper/engines.ts'
import { readMetrics } from '../helper/metrics.ts'
import { login, register } from '../helper/people.ts'
import { startPair, until } from '../helper/service.ts'

const skip = !realEngines && 'needs two instances'

await t.test('a revocation is counted where it happened, and heard where it was told', { skip }, async (t) => {
  const [a, b] = await startPair(t)
  const { person, ...first } = await register(a)
  const unseen = await login(a, person)
  for (const service of [a, b]) await service.get('/api/protected', { token: first.accessToken })
  for (const { accessToken } of [first, unseen]) await a.post('/api/auth/logout', undefined, { token: accessToken })
  await until(async () => (await readMetrics(b)).value('latchkey_revocation_messages_total') === 2, 'both messages are heard')

  const [atA, atB] = [await readMetrics(a), await readMetrics(b)]
  t.strictSame([atA, atB].map(({ by }) => by('latchkey_revocations_total', 'reason')), [{ logout: 2 }, {}])
  t.strictSame([atA, atB].map(({ value }) => value('latchkey_revocations_heard_total')), [0, 1], 'the other one was not in its memory')
  t.equal(atA.value('latchkey_revocation_messages_total'), 2, 'its own')
  t.equal((await b.get('/api/protected', { token: first.accessToken })).json.code, 'session_revoked')
  t.equal((await readMetrics(b)).value('latchkey_checks_total', { tier: 'redis', result: 'session_revoked' }), 1)
})

await t.test('the lag of the channel is measured on each instance, in milliseconds', { skip }, async (t) => {
  for (const service of await startPair(t)) {
    await until(async () => ((await readMetrics(service)).value('latchkey_revocation_lag_seconds_count') ?? 0) >= 3, 'three beats are heard')
    const { value, samples } = await readMetrics(service)
    const [count, sum] = [value('latchkey_revocation_lag_seconds_count') as number, value('latchkey_revocation_lag_seconds_sum') as number]
    t.comment(`measured: mean lag of ${count} beats: ${(sum / count * 1000).toFixed(2)} ms`)
    t.ok(sum > 0 && sum / count < 1, `${sum} s in ${count} beats`)
    const bounds = samples.filter(({ name }) => name === 'latchkey_revocation_lag_seconds_bucket').map(({ labels }) => labels['le'])
    t.strictSame([bounds[0], bounds.at(-2)], ['0.0005', '5'])
    t.equal(value('latchkey_revocation_channel_hearing'), 1)
  }
})
