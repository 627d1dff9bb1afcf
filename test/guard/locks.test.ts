// Guard: the folder is the lock. Every private door is closed without a token, whatever else is sent.
import t from 'tap'
import { doorsOf } from '../helper/doors.ts'
import { startService } from '../helper/service.ts'

await t.test('every door that says it is guarded refuses without a token, and no other asks for one', async (t) => {
  const doors = await doorsOf(t)
  const service = await startService(t)
  t.ok(doors.filter(({ guarded }) => guarded).length >= 4)
  for (const { method, url, guarded } of doors) {
    const answer = await service.call(url.replace(':code', 'not_found'), { method, ...(method !== 'GET' && { body: {} }) })
    t.equal(answer.json?.code === 'token_missing' && answer.status === 401, guarded || url.startsWith('/api/auth/logout'), `${method} ${url}`)
  }
})

await t.test('every door declares what any door can answer, and a guarded one its refusal', async (t) => {
  for (const { url, schema, guarded } of await doorsOf(t)) {
    const replies = Object.keys(schema['response'] as object)
    if (guarded) t.ok(replies.includes('401'), `${url} declares its refusal`)
    for (const status of ['400', '408', '414', '429', '431', '500', '503']) t.ok(replies.includes(status), `${url} declares ${status}`)
  }
})
