// The checker's own tests: for each invariant a history of a few lines that violates it, and one beside it that does not.
import t from 'tap'
import type { Call, Census, Fault, History, Sample } from './history.ts'
import { invariantNames, invariants, type InvariantName } from './invariants/all.ts'
import { rules } from './rules.ts'

const { tMs, faultMs, graceMs, idleMs, visitIdleMs, loginLimit } = rules

/** @param at when it began; it takes 10 ms */
const call = (op: Call['op'], at: number, more: Partial<Call> = {}): Call =>
  ({ kind: 'call', client: 'c0', op, inst: 'a', t0: at, t1: at + 10, status: 200, user: 'ada', sid: 's1', ...more })
const login = (at: number, more: Partial<Call> = {}, sid = 's1'): Call => {
  const { sid: _, ...opening } = call('login', at, { value: 0, out: { who: 'ada', sid, rt: `${sid}.0`, exp: at + 1e6, endsAt: at + idleMs, absoluteAt: at + 1e6 }, ...more })
  return opening
}
const use = (at: number, more: Partial<Call> = {}): Call => call('protected', at, { exp: 1e6, ...more })
const refresh = (at: number, from: string, to: string, more: Partial<Call> = {}): Call =>
  call('refresh', at, { rt: from, out: { who: 'ada', sid: 's1', rt: to, endsAt: at + idleMs, absoluteAt: 1e6 }, ...more })
const refused = (code: string): Partial<Call> => ({ status: 401, code, out: {} })
const lost: Partial<Call> = { status: 0, out: {} }
const broken = (t0: number, t1: number, more: Partial<Fault> = {}): Fault => ({ kind: 'fault', name: 'redis: frozen', what: 'redis', t0, healed: t1, t1, losesRedis: false, ...more })
const census = (more: Partial<Census>): Census => ({ kind: 'census', at: 1e5, sessions: [], accounts: {}, visits: [], stats: { told: 0, least: 0, most: 0 }, ...more })
const history = (calls: Call[], more: Partial<History> = {}): History => ({ calls, faults: [], samples: [], ...more })
const visit = (pages: string[], more: object = {}) => ({ visit: 'v1', user: 'ada', state: 'archived', pages, isLate: false, hasEnd: true, ...more })
const page = (at: number, target: string, more: Partial<Call> = {}): Call => call('page', at, { target, status: 201, exp: 1e6, ...more })
const guesses = (count: number): Call[] => Array.from({ length: count }, (_, i) => call('guess', i, { from: '127.0.0.9', ...refused('invalid_credentials') }))
const sample = (phase: Sample['phase'], descriptors: number): Sample => ({ kind: 'sample', inst: 'a', phase, descriptors, rssMb: 100, lives: 1 })

interface Example { what: string, bad: History, good: History }

const examples: Record<InvariantName, Example[]> = {
  I1: [
    { what: 'a session lets in after T', bad: history([login(0), call('logout', 100), use(111 + tMs)]), good: history([login(0), call('logout', 100), use(109 + tMs), use(120 + tMs, refused('session_revoked'))]) },
    { what: 'after T_fault, if something was broken while it was ended', bad: history([login(0), call('logout', 100), use(111 + faultMs)], { faults: [broken(50, 200)] }), good: history([login(0), call('logout', 100), use(109 + faultMs)], { faults: [broken(50, 200)] }) },
    { what: 'logout of all devices ends those that were open, not those that came later', bad: history([login(0), login(20, {}, 's2'), call('logout-all', 100, { sid: 's2' }), use(200 + tMs)]), good: history([login(0), call('logout-all', 100), login(105, {}, 's2'), use(200 + tMs, { sid: 's2' })]) },
    { what: 'an older password opens a session beside its change that lives on', bad: history([login(0), login(95, {}, 's2'), call('password', 100, { value: 1, target: '0' }), use(200 + tMs, { sid: 's2' })]), good: history([login(0), login(95, { value: 1 }, 's2'), call('password', 100, { value: 1, target: '0' }), use(200 + tMs, { sid: 's2' })]) },
    { what: 'a theft that was found out ends the session', bad: history([login(0), call('replay', 100, { rt: 's1.0', ...refused('refresh_token_reused') }), use(200 + tMs)]), good: history([login(0), call('replay', 100, { rt: 's1.0', ...lost }), use(200 + tMs)]) }
  ],
  I2: [
    { what: 'a live session is refused', bad: history([login(0), use(100, refused('session_revoked'))]), good: history([login(0), call('logout', 50, lost), use(100, refused('session_revoked'))]) },
    {
      what: 'a refresh that was given up ends the session later, and no instance stood still',
      bad: history([login(0), refresh(100, 's1.0', '', lost), refresh(120, 's1.0', 's1.1'), refresh(140, 's1.1', 's1.2'), use(500, refused('session_revoked'))]),
      good: history([login(0), refresh(100, 's1.0', '', lost), refresh(120, 's1.0', 's1.1'), refresh(140, 's1.1', 's1.2'), use(500, refused('session_revoked'))], { faults: [broken(50, 400, { name: 'instance frozen', what: 'instance', inst: 'a' })] })
    },
    { what: 'a token that has not run out is told to have', bad: history([login(0), use(100, { ...refused('token_expired'), exp: 5000 })]), good: history([login(0), use(5000, { ...refused('token_expired'), exp: 5000 })]) },
    { what: 'reuse is told of where there was none', bad: history([login(0), refresh(100, 's1.0', '', refused('refresh_token_reused'))]), good: history([login(0), refresh(100, 's1.0', 's1.1'), refresh(200 + graceMs, 's1.0', '', refused('refresh_token_reused'))]) }
  ],
  I3: [
    { what: 'one token has two successors', bad: history([login(0), refresh(100, 's1.0', 's1.1'), refresh(101, 's1.0', 's1.2')]), good: history([login(0), refresh(100, 's1.0', 's1.1'), refresh(101, 's1.0', 's1.1')]) },
    { what: 'two tokens are good in the end', bad: history([refresh(100, 'x', 'y', { client: 'probe' }), refresh(200, 'w', 'z', { client: 'probe' })]), good: history([refresh(100, 'x', 'y', { client: 'probe' }), refresh(200, 'w', '', { client: 'probe', ...refused('refresh_token_reused') })]) }
  ],
  I4: [{ what: 'more rotations than tokens', bad: history([refresh(100, 's1.0', 's1.1')], { census: census({ sessions: [{ sid: 's1', user: 'ada', generation: 2, isLive: true }] }) }), good: history([refresh(100, 's1.0', 's1.1'), refresh(200, 's1.1', '', lost)], { census: census({ sessions: [{ sid: 's1', user: 'ada', generation: 2, isLive: true }] }) }) }, {
    what: 'a rotation that was refused',
    bad: history([refresh(100, 's1.0', '', refused('session_revoked'))], { census: census({ sessions: [{ sid: 's1', user: 'ada', generation: 1, isLive: false }] }) }),
    good: history([refresh(100, 's1.0', '', refused('session_revoked'))], { census: census({ sessions: [{ sid: 's1', user: 'ada', generation: 0, isLive: false }] }) })
  }],
  I5: [{ what: 'who asks again inside the grace is punished', bad: history([login(0), refresh(100, 's1.0', '', lost), refresh(200, 's1.0', '', refused('refresh_token_reused'))]), good: history([login(0), refresh(100, 's1.0', '', lost), refresh(200 + graceMs, 's1.0', '', refused('refresh_token_reused'))]) }],
  I6: [
    { what: 'a spent token is taken after the grace', bad: history([refresh(100, 's1.0', 's1.1'), { ...refresh(500 + graceMs, 's1.0', 's1.1'), op: 'replay' }]), good: history([refresh(100, 's1.0', 's1.1'), { ...refresh(500, 's1.0', 's1.1'), op: 'replay' }]) },
    { what: 'one of two generations back is taken', bad: history([refresh(100, 's1.0', 's1.1'), refresh(200, 's1.1', 's1.2'), { ...refresh(300, 's1.0', 's1.1'), op: 'replay' }]), good: history([refresh(100, 's1.0', 's1.1'), refresh(200, 's1.1', 's1.2'), { ...refresh(300, 's1.0', '', refused('refresh_token_reused')), op: 'replay' }]) }
  ],
  I7: [
    { what: 'an address is registered twice', bad: history([call('register', 0, { user: 'a@b.c' }), call('register', 5, { user: 'a@b.c' })]), good: history([call('register', 0, { user: 'a@b.c' }), call('register', 5, { user: 'a@b.c', status: 409 })]) },
    { what: 'an account is gone', bad: history([call('register', 0, { user: 'a@b.c', out: { who: 'ada' } }), login(9)], { census: census({}) }), good: history([call('register', 0, { user: 'a@b.c', out: { who: 'ada' } }), login(9)], { census: census({ accounts: { 'a@b.c': 1 } }) }) }
  ],
  I8: [
    { what: 'an old password is good', bad: history([call('password', 100, { value: 1, target: '0' }), login(200)]), good: history([call('password', 100, { value: 1, target: '0', status: 503 }), login(200)]) },
    { what: 'the new password is refused', bad: history([call('password', 100, { value: 1, target: '0' }), login(200, { value: 1, ...refused('invalid_credentials') })]), good: history([call('password', 100, { value: 1, target: '0' }), login(200, { value: 1 })]) }
  ],
  I9: [{ what: 'older preferences are read', bad: history([call('prefs-write', 0, { value: 1 }), call('prefs-write', 20, { value: 2 }), call('prefs-read', 40, { out: { value: 1 } })]), good: history([call('prefs-write', 0, { value: 1, status: 503 }), call('prefs-write', 20, { value: 2 }), call('prefs-read', 40, { out: { value: 1 } }), call('prefs-read', 60, { out: { value: 2 } })]) }],
  I10: [{ what: 'an older name is read after T', bad: history([call('profile-write', 0, { value: 1 }), call('profile', 20 + tMs, { out: { name: 0 } })]), good: history([call('profile-write', 0, { value: 1 }), call('profile', tMs, { out: { name: 0 } })]) }],
  I11: [
    { what: 'a page is lost', bad: history([page(0, '/1')], { census: census({ visits: [visit([])] }) }), good: history([page(0, '/1', lost)], { census: census({ visits: [visit([])] }) }) },
    { what: 'a page is stored twice', bad: history([page(0, '/1')], { census: census({ visits: [visit(['/1', '/1'])] }) }), good: history([page(0, '/1')], { census: census({ visits: [visit(['/1'])] }) }) },
    { what: 'a page stands in front of an earlier one', bad: history([page(0, '/1'), page(50, '/2')], { census: census({ visits: [visit(['/2', '/1'])] }) }), good: history([page(0, '/1'), page(5, '/2')], { census: census({ visits: [visit(['/2', '/1'])] }) }) },
    { what: 'a page comes into a visit that was ended', bad: history([call('visit-end', 0, { out: { visit: 'v1' } }), page(50, '/1')], { census: census({ visits: [visit(['/1'])] }) }), good: history([call('visit-end', 0, { out: { visit: 'v0' } }), page(50, '/1')], { census: census({ visits: [visit(['/1'])] }) }) },
    { what: 'a page is not shown', bad: history([login(0), page(20, '/1'), call('visit-read', 50, { out: { items: [] } })]), good: history([login(0), page(20, '/1'), call('visit-read', 50 + visitIdleMs, { out: { items: [] } })]) }
  ],
  I12: [
    { what: 'a visit is forgotten by the archive', bad: history([], { census: census({ visits: [visit([], { state: 'ended', isLate: true })] }) }), good: history([], { census: census({ visits: [visit([])] }) }) },
    { what: 'a visit is ended as two', bad: history([call('visit-end', 0, { out: { visit: 'v1', seconds: 1, items: [] } }), call('visit-end', 20, { out: { visit: 'v1', seconds: 2, items: [] } })]), good: history([call('visit-end', 0, { out: { visit: 'v1', seconds: 1, items: [] } })]) }
  ],
  I13: [
    { what: 'an answer is about somebody else', bad: history([use(0, { out: { who: 'bob' } })]), good: history([use(0, { out: { who: 'ada' } })]) },
    { what: 'a list has somebody else\'s session', bad: history([login(0, { user: 'bob', out: { who: 'bob', sid: 's9' } }), call('list', 50, { out: { items: ['s9'] } })]), good: history([login(0), call('list', 50, { out: { items: ['s1', 'unknown'] } })]) }
  ],
  I14: [{ what: 'too many guesses are looked at', bad: history(guesses(loginLimit * 1.5 + 1)), good: history(guesses(loginLimit * 1.5)) }],
  I15: [
    { what: 'a token lets in after its end', bad: history([use(1000, { exp: 500 })]), good: history([use(1000, { exp: 500, status: 401 }), use(400, { exp: 500 })]) },
    { what: 'a session is refreshed after its end', bad: history([login(0), refresh(500 + idleMs, 's1.0', 's1.1')]), good: history([login(0), refresh(idleMs - 500, 's1.0', 's1.1')]) }
  ],
  I16: [
    { what: 'an answer takes too long', bad: history([use(0, { t1: 6000 })]), good: history([use(0, { t1: 6000 })], { faults: [broken(0, 6000, { what: 'instance', inst: 'a' })] }) },
    { what: 'a hash is waited for too long', bad: history([login(0, { t1: 10_100 })]), good: history([login(0, { t1: 9900 })]) },
    { what: 'a failure is no 503', bad: history([use(0, { status: 500 })]), good: history([use(0, { status: 503 })]) },
    { what: 'connections pile up', bad: history([], { samples: [sample('begin', 30), sample('end', 300)] }), good: history([], { samples: [sample('begin', 30), sample('end', 40)] }) }
  ],
  I17: [
    { what: 'a live session is not shown', bad: history([login(0), call('list', 50, { out: { items: [] } })]), good: history([login(0), call('logout', 20, lost), call('list', 50, { out: { items: [] } })]) },
    { what: 'one that is over is shown', bad: history([login(0), call('logout', 20), call('list', 50 + tMs, { out: { items: ['s1'] } })]), good: history([login(0), call('logout', 20), call('list', 25 + tMs, { out: { items: ['s1'] } })]) }
  ],
  I18: [{ what: 'a session is not counted', bad: history([], { census: census({ stats: { told: 1, least: 2, most: 2 } }) }), good: history([], { census: census({ stats: { told: 2, least: 1, most: 2 } }) }) }]
}

for (const name of invariantNames) {
  await t.test(`${name} finds out when it does not hold that ${invariants[name].what}`, async (t) => {
    for (const { what, bad, good } of examples[name]) {
      t.equal(invariants[name].holds(bad, rules).violations.length, 1, what)
      t.strictSame(invariants[name].holds(good, rules).violations, [], `${what}, or so it seems`)
    }
  })
}
