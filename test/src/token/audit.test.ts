// The audit stream: what a line says, and that an attacker cannot drown it with what costs him nothing.
import t from 'tap'
import { auditEvents, createAudit, type AuditLine } from '../../../src/token/audit.ts'
import { createStillClock } from '../../helper/clock.ts'

const client = { address: '192.0.2.7', userAgent: 'a browser', requestId: 'r-1' }

function createKit () {
  const clock = createStillClock(Date.parse('2026-11-21T09:30:00.000Z'))
  const lines: AuditLine[] = []
  const events: string[] = []
  return { clock, lines, events, audit: createAudit({ clock, write: (line) => { lines.push(line) }, onEvent: (event) => { events.push(event) } }) }
}

await t.test('a line says what, whose, from where, at which request and when in UTC, and nothing else', (t) => {
  const { audit, lines } = createKit()
  audit('login', client, { userId: 'user-1', sid: 'sid-1' })
  audit('login_failed', client)
  t.strictSame(lines, [
    { event: 'login', userId: 'user-1', sid: 'sid-1', address: '192.0.2.7', requestId: 'r-1', at: '2026-11-21T09:30:00.000Z' },
    { event: 'login_failed', address: '192.0.2.7', requestId: 'r-1', at: '2026-11-21T09:30:00.000Z' }
  ])
  t.end()
})

await t.test('what costs a client nothing has one line a second, which says how many had none', (t) => {
  const { audit, lines, events, clock } = createKit()
  for (let attempt = 0; attempt < 1000; attempt++) audit('login_limited', client)
  audit('registration_limited', client)
  t.strictSame(lines.map(({ event }) => event), ['login_limited', 'registration_limited'], 'each event for itself')
  clock.advance(999)
  audit('login_limited', client)
  t.equal(lines.length, 2)
  clock.advance(1)
  audit('login_limited', client)
  t.match(lines[2], { event: 'login_limited', moreSinceLastLine: 1000 })
  clock.advance(1000)
  audit('login_limited', client)
  t.notOk('moreSinceLastLine' in (lines[3] as AuditLine), 'each is told of once')
  t.equal(events.length, 1004, 'every one of them is counted')
  t.end()
})

await t.test('what costs a client work has a line each time', (t) => {
  const { audit, lines } = createKit()
  const costly = auditEvents.filter((event) => !event.endsWith('_limited'))
  for (const event of costly) for (let i = 0; i < 50; i++) audit(event, client)
  t.equal(lines.length, costly.length * 50)
  t.end()
})
