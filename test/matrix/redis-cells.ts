// What Redis does to us (REQUIREMENTS 3.1): it dies, hangs, answers half, refuses or forgets. MongoDB decides meanwhile.
import { newPerson, register } from '../helper/people.ts'
import { callerAt } from './cast.ts'
import type { Cell, Stage } from './cell.ts'
import { verdictSeconds, wait } from './field.ts'

const verdictMs = verdictSeconds * 1000
const config = ({ field: { admin } }: Stage, ...settings: string[]): Promise<unknown> => admin.config('SET', ...settings as [string, string])
const toRedis = ({ field: { instances } }: Stage) => instances.map(({ redis }) => redis)

/** Strikes again and again for a while, and stops before the healing. */
async function again (forMs: number, everyMs: number, strike: () => unknown): Promise<void> {
  for (const end = performance.now() + forMs; performance.now() < end;) {
    await strike()
    await wait(everyMs)
  }
}

/** Of wrong passwords for one account, on both instances in turn, no more are looked at than the limit of each (I14). */
async function guess ({ field: { instances }, fail, measured }: Stage): Promise<void> {
  const limit = 10
  const { person: { email } } = await register(callerAt(instances[0]), newPerson())
  let looked = 0
  for (let tries = 0; tries < 4 * limit; tries++) {
    const { status } = await instances[tries % 2 as 0 | 1].call('/api/auth/login', { method: 'POST', body: { email, password: 'certainly not this one' } })
    if (status === 401) looked++
    else if (status !== 429 && status !== 503) fail(`a wrong password: ${status}`)
  }
  measured(`${looked} of ${4 * limit} wrong passwords were looked at, limit ${limit}`)
  if (looked > 2 * limit) fail(`${looked} wrong passwords were looked at`)
}

const diesAndReturns = { strike: ({ field }: Stage) => field.redis.kill(), heal: ({ field }: Stage) => field.redis.start() }

export const redisCells: Cell[] = [
  {
    id: 'F-R1',
    fault: 'Redis is down when both instances start',
    required: 'they start, degraded; checks, logins, refreshes and revocations through MongoDB; 99 of 100 checks within 100 ms',
    recoverWithinMs: 5000,
    standsMs: 4000,
    checkP99Ms: 100,
    checksPutOffAtMost: 0.01,
    async strike ({ field: { redis, instances } }) {
      await Promise.all(instances.map((instance) => instance.kill()))
      await redis.kill()
      for (const instance of instances) await instance.start()
    },
    async meanwhile ({ field: { instances }, fail }) {
      for (const instance of instances) {
        const { status, json } = await instance.call('/readyz')
        if (status !== 200 || json.status !== 'degraded') fail(`readiness: ${status} ${json.status}`)
      }
    },
    heal: ({ field }) => field.redis.start()
  },
  {
    id: 'F-R2',
    fault: 'Redis dies under load (kill -9)',
    required: 'at most 1 % of checks put off; logins, refreshes, revocations, users\' visits and preferences go on; limits hold',
    recoverWithinMs: 5000,
    standsMs: 4000,
    checksPutOffAtMost: 0.01,
    ...diesAndReturns,
    meanwhile: guess
  },
  {
    id: 'F-R3',
    fault: 'Redis restarts empty',
    required: 'live sessions live, revoked ones stay dead, users\' pages are there',
    recoverWithinMs: 3000,
    standsMs: 0,
    checksPutOffAtMost: 0.01,
    short: true,
    ...diesAndReturns
  },
  {
    id: 'F-R4/pause',
    fault: 'Redis pauses for 2 s, again and again (CLIENT PAUSE)',
    required: 'the first checks within 500 ms, then nobody waits for it',
    recoverWithinMs: 5000,
    standsMs: 0,
    checkP99Ms: 500,
    checksPutOffAtMost: 0.01,
    strike: ({ field: { admin } }) => again(6000, 10, () => admin.call('CLIENT', 'PAUSE', '2000', 'ALL')),
    heal: ({ field: { admin } }) => admin.call('CLIENT', 'UNPAUSE').then(() => { /* done */ })
  },
  {
    id: 'F-R4/delay',
    fault: 'every answer of Redis is 2 s late (proxy)',
    required: 'the first checks within 500 ms, then nobody waits for it',
    recoverWithinMs: 5000,
    standsMs: 6000,
    checkP99Ms: 500,
    checksPutOffAtMost: 0.01,
    strike (stage) { for (const proxy of toRedis(stage)) proxy.set('delay', { ms: 2000 }) },
    heal (stage) { for (const proxy of toRedis(stage)) proxy.set('pass') }
  },
  {
    id: 'F-R5',
    fault: 'Redis hangs (SIGSTOP, SIGCONT)',
    required: 'as F-R4; late replies are matched to no other request',
    recoverWithinMs: 5000,
    standsMs: 5000,
    checkP99Ms: 500,
    checksPutOffAtMost: 0.01,
    short: true,
    strike ({ field }) { field.redis.freeze() },
    heal ({ field }) { field.redis.thaw() }
  },
  {
    id: 'F-R6',
    fault: 'half-open: nothing comes back from Redis any more, connections stay',
    required: 'fallback meanwhile; the dead connections are given up within 10 s',
    recoverWithinMs: 10_000,
    standsMs: 12_000,
    checkP99Ms: 500,
    checksPutOffAtMost: 0.01,
    strike (stage) { for (const proxy of toRedis(stage)) proxy.set('mute') },
    heal (stage) { for (const proxy of toRedis(stage)) proxy.set('pass') }
  },
  {
    id: 'F-R7',
    fault: 'connections end in the middle of a command or a reply (after 1 to 200 bytes, every 150 ms)',
    required: 'nothing is half done; revocations are acknowledged by MongoDB alone',
    recoverWithinMs: 5000,
    standsMs: 0,
    checksPutOffAtMost: 0.01,
    strike (stage) {
      let turn = 0
      return again(6000, 150, () => {
        for (const proxy of toRedis(stage)) proxy.set('cut', { bytes: 1 + Math.floor(Math.random() * 200), dir: turn++ % 2 === 0 ? 's2c' : 'c2s' })
      })
    },
    heal (stage) { for (const proxy of toRedis(stage)) proxy.set('pass') }
  },
  {
    id: 'F-R8',
    fault: 'Redis becomes a read-only replica, and a primary again (REPLICAOF)',
    required: 'no request fails for a refused write; what was revoked is dead within T_fault',
    recoverWithinMs: 5000,
    standsMs: verdictMs + 2000,
    revocationWithin: 'verdict',
    checksPutOffAtMost: 0.01,
    strike: ({ field: { admin } }) => admin.replicaof('127.0.0.1', 1).then(() => { /* done */ }),
    heal: ({ field: { admin } }) => admin.replicaof('NO', 'ONE').then(() => { /* done */ })
  },
  {
    id: 'F-R9',
    fault: 'Redis refuses writes (min-replicas-to-write 1)',
    required: 'as F-R8',
    recoverWithinMs: 2000,
    standsMs: verdictMs + 2000,
    revocationWithin: 'verdict',
    checksPutOffAtMost: 0.01,
    strike: (stage) => config(stage, 'min-replicas-to-write', '1').then(() => { /* done */ }),
    heal: (stage) => config(stage, 'min-replicas-to-write', '0').then(() => { /* done */ })
  },
  {
    id: 'F-R10',
    fault: 'Redis is out of memory (maxmemory 1mb, noeviction)',
    required: 'writes fall back, reads go on; no 500, no failed login',
    recoverWithinMs: 2000,
    standsMs: 5000,
    revocationWithin: 'verdict',
    checksPutOffAtMost: 0.01,
    strike: (stage) => config(stage, 'maxmemory-policy', 'noeviction', 'maxmemory', '1mb').then(() => { /* done */ }),
    heal: (stage) => config(stage, 'maxmemory', '0').then(() => { /* done */ })
  },
  {
    id: 'F-R11',
    fault: 'Redis evicts keys under load (maxmemory, allkeys-random, 200 foreign keys a second)',
    required: 'a missing key is a miss; no revoked token is accepted; limits hold',
    recoverWithinMs: 3000,
    standsMs: 0,
    checksPutOffAtMost: 0.01,
    async strike (stage) {
      const { admin } = stage.field
      const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
      await config(stage, 'maxmemory-policy', 'allkeys-random', 'maxmemory', String(used + 200_000))
      let filled = 0
      const fill = again(8000, 50, async () => { for (let n = 0; n < 10; n++) await admin.set(`foreign:${filled++}`, 'x'.repeat(1000)).catch(() => { /* full */ }) })
      await wait(4000)
      await guess(stage)
      await fill
      const evicted = Number(/evicted_keys:(\d+)/.exec(await admin.info('stats'))?.[1])
      stage.measured(`${evicted} keys evicted`)
      if (evicted === 0) stage.fail('nothing was evicted')
    },
    async heal (stage) {
      await config(stage, 'maxmemory', '0', 'maxmemory-policy', 'noeviction')
      await stage.field.admin.flushall()
    }
  },
  {
    id: 'F-R12/password',
    fault: 'Redis asks for another password (requirepass, connections killed)',
    required: 'degraded, one line of log for it and not one a request, no secret in it',
    recoverWithinMs: 5000,
    standsMs: 4000,
    checksPutOffAtMost: 0.01,
    async strike (stage) {
      await config(stage, 'requirepass', 'another-password')
      for (const type of ['normal', 'pubsub']) await stage.field.admin.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')
    },
    async meanwhile ({ field: { instances }, fail }) {
      const { json } = await instances[0].call('/readyz')
      if (json.status !== 'degraded') fail(`readiness: ${json.status}`)
    },
    heal: (stage) => config(stage, 'requirepass', '').then(() => { /* done */ })
  },
  {
    id: 'F-R12/acl',
    fault: 'Redis permits no writes (ACL -@write)',
    required: 'as F-R8',
    recoverWithinMs: 5000,
    standsMs: 4000,
    revocationWithin: 'verdict',
    checksPutOffAtMost: 0.01,
    strike: ({ field: { admin } }) => admin.call('ACL', 'SETUSER', 'default', '-@write').then(() => { /* done */ }),
    heal: ({ field: { admin } }) => admin.call('ACL', 'SETUSER', 'default', '+@all').then(() => { /* done */ })
  },
  {
    id: 'F-R13',
    fault: 'Redis restarts and is loading its data for seconds (-LOADING)',
    required: 'treated as down',
    recoverWithinMs: 5000,
    standsMs: 0,
    checkP99Ms: 500,
    checksPutOffAtMost: 0.01,
    async strike ({ field: { admin, redis }, measured }) {
      await admin.call('DEBUG', 'POPULATE', '2500', 'filler', '1000')
      await admin.save()
      await redis.kill()
      const begin = performance.now()
      await redis.start() // answers once it has loaded
      measured(`loading for ${((performance.now() - begin) / 1000).toFixed(1)} s`)
    },
    async heal ({ field: { redis, admin } }) {
      redis.empty() // its file, not what it has loaded
      await admin.ping()
    },
    async afterwards ({ field: { admin } }) { await admin.flushall() }
  },
  {
    id: 'F-R14',
    fault: 'Redis kills every connection, every 200 ms (CLIENT KILL)',
    required: 'at most 1 % of checks put off; the channel is heard again',
    recoverWithinMs: 2000,
    standsMs: 0,
    checksPutOffAtMost: 0.01,
    strike: ({ field: { admin } }) => again(5000, 200, () => admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')),
    heal () { /* nobody kills any more */ }
  }
]
