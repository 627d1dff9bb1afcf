// The channel of revocations: it proves that it hears, and comes back by itself. Fakes for what a connection can do,
// a real Redis for the sum of it.
import { randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { beatMs, createRevocationChannel, deafAfterMs, type RevocationChannel } from '../../../src/cache/revocation-channel.ts'
import type { RedisClient } from '../../../src/cache/shared-tier.ts'
import { systemClock } from '../../../src/clock.ts'
import { createStillClock, type TestClock } from '../../helper/clock.ts'
import { redisUrl } from '../../helper/engines.ts'
import { until } from '../../helper/service.ts'

class FakeConnection extends EventEmitter {
  readonly subscribed: string[] = []
  refuses = false
  disconnects = 0
  async connect (): Promise<void> {
    if (this.refuses) throw new Error('nobody there')
  }

  async subscribe (...channels: string[]): Promise<void> { this.subscribed.push(...channels) }

  disconnect (): void {
    this.disconnects++
    this.emit('end')
  }
}

interface Kit {
  channel: RevocationChannel
  clock: TestClock
  connections: FakeConnection[]
  attempts: number[]
  /** What happened, oldest first. */
  story: string[]
  /** Messages that were published. */
  sent: string[]
  /** What each beat that was heard said of the time since it was sent, milliseconds. */
  lags: number[]
  /** The publisher fails from now on. */
  failPublisher: () => void
  /** Connections from now on refuse, or not. */
  refuse: (refuses: boolean) => void
}

function createKit (t: Test): Kit {
  const clock = createStillClock()
  const [connections, attempts, story, sent, lags]: [FakeConnection[], number[], string[], string[], number[]] = [[], [], [], [], []]
  let [failing, refusing] = [false, false]
  const publisher = {
    async publish (channel: string, message: string) {
      story.push(`publish ${channel}`)
      sent.push(message)
      if (failing) throw new Error('away')
      return 1
    }
  }
  const channel = createRevocationChannel({
    clock,
    channel: 'revoked',
    beatChannel: 'beat:1',
    publisher: publisher as unknown as RedisClient,
    subscriberFor (attempt) {
      attempts.push(attempt)
      const connection = new FakeConnection()
      connection.refuses = refusing
      connections.push(connection)
      return connection as unknown as Redis
    },
    onBeat: (lagMs) => {
      story.push('beat')
      lags.push(lagMs)
    },
    onForget: (key) => { story.push(`forget ${key}`) },
    onSubscribe: () => { story.push('subscribed') }
  })
  t.teardown(() => { channel.close() })
  return { channel, clock, connections, attempts, story, sent, lags, failPublisher () { failing = true }, refuse (refuses) { refusing = refuses } }
}

const standing = ({ story }: Kit, times = 1): Promise<void> => until(() => story.filter((line) => line === 'subscribed').length === times, 'the subscription stands')

await t.test('until its first beat has come back, nothing is heard', async (t) => {
  const kit = createKit(t)
  t.equal(kit.channel.hearing.lastBeat, -Infinity)
  kit.channel.open()
  await standing(kit)
  t.strictSame(kit.connections[0]?.subscribed, ['revoked', 'beat:1'])
  t.strictSame(kit.story, ['subscribed', 'publish beat:1'], 'what was missed is dropped before anything is trusted again')
  t.equal(kit.channel.hearing.lastBeat, -Infinity)
  kit.clock.advance(50)
  kit.connections[0]?.emit('message', 'beat:1', '')
  t.equal(kit.channel.hearing.lastBeat, kit.clock.mono())
})

await t.test('a beat tells how long it took, though others were sent meanwhile', async (t) => {
  const { channel, clock, connections, sent, lags, ...kit } = createKit(t)
  channel.open()
  await standing({ channel, clock, connections, sent, lags, ...kit })
  clock.advance(1500)
  await channel.beat()
  clock.advance(2)
  for (const message of sent) connections[0]?.emit('message', 'beat:1', message)
  t.strictSame(lags, [1502, 2])
})

await t.test('a message of the channel is a forget, and no proof of hearing', async (t) => {
  const kit = createKit(t)
  kit.channel.open()
  await standing(kit)
  kit.connections[0]?.emit('message', 'revoked', 'sid-1')
  t.equal(kit.story.at(-1), 'forget sid-1')
  t.equal(kit.channel.hearing.lastBeat, -Infinity)
})

await t.test('a connection that ends is followed by another, and what was missed is dropped', async (t) => {
  const kit = createKit(t)
  kit.channel.open()
  await standing(kit)
  kit.connections[0]?.emit('end')
  await standing(kit, 2)
  t.strictSame(kit.attempts, [0, 1])
  t.strictSame(kit.connections[1]?.subscribed, ['revoked', 'beat:1'])
})

await t.test('connections that fail are tried again until one stands', async (t) => {
  const kit = createKit(t)
  kit.refuse(true)
  kit.channel.open()
  await until(() => kit.connections.length === 3, 'it goes on trying')
  t.strictSame(kit.story, [], 'nobody is told of a subscription that does not stand')
  kit.refuse(false)
  await standing(kit)
  kit.connections.at(-1)?.emit('error', new Error('odd')) // an error alone ends nothing
  t.equal(kit.story.filter((line) => line === 'subscribed').length, 1)
})

await t.test('a connection that says nothing any more is given up after five beats', async (t) => {
  const kit = createKit(t)
  kit.channel.open()
  await standing(kit)
  for (let beat = 2; beat <= 5; beat++) await kit.channel.beat()
  kit.connections[0]?.emit('message', 'beat:1', '')
  for (let beat = 1; beat <= 5; beat++) await kit.channel.beat()
  t.equal(kit.connections[0]?.disconnects, 0, 'five unheard ones are borne')
  await kit.channel.beat()
  t.ok(kit.connections[0]?.disconnects, 'the sixth is one too many')
  await standing(kit, 2)
})

await t.test('a beat that cannot be sent fails nobody', async (t) => {
  const kit = createKit(t)
  kit.failPublisher()
  await kit.channel.beat()
  t.strictSame(kit.story, ['publish beat:1'])
})

await t.test('closed, it opens no connection and sends no beat', async (t) => {
  const [closed, open] = [createKit(t), createKit(t)]
  for (const kit of [closed, open]) {
    kit.channel.open()
    await standing(kit)
  }
  closed.channel.close()
  open.connections[0]?.emit('end')
  const told = closed.story.length
  await standing(open, 2)
  await until(() => open.story.length > 4, 'the other one has beaten by itself')
  t.equal(closed.connections.length, 1)
  t.equal(closed.story.length, told)
})

await t.test('a beat is sent often enough that one may be lost', async (t) => {
  t.ok(beatMs * 2 <= deafAfterMs)
})

await t.test('Redis: each instance hears its own beats alone, and the revocations of all', { skip: redisUrl === undefined && 'needs a Redis (REDIS_URL)' }, async (t) => {
  const name = `t${randomBytes(6).toString('hex')}`
  const client = new Redis(redisUrl as string)
  t.teardown(() => { client.disconnect() })
  const heard: string[][] = [[], []]
  const connections: Redis[] = []
  const channels = heard.map((keys, at) => createRevocationChannel({
    clock: systemClock,
    channel: `${name}:revoked`,
    beatChannel: `${name}:beat:${at}`,
    publisher: client,
    subscriberFor () {
      const connection = client.duplicate({ lazyConnect: true, retryStrategy: () => null })
      connections.push(connection)
      return connection
    },
    onForget: (key) => { keys.push(key) },
    onBeat: () => {},
    onSubscribe: () => {}
  }))
  for (const channel of channels) {
    t.teardown(() => { channel.close() })
    channel.open()
  }
  await until(() => channels.every((channel) => channel.hearing.lastBeat > 0), 'both hear themselves')
  await client.publish(`${name}:revoked`, 'sid-1')
  await until(() => heard.every((keys) => keys.length > 0), 'both are told')
  t.strictSame(heard, [['sid-1'], ['sid-1']])
  for (const connection of connections) connection.stream.destroy()
  const cutAt = systemClock.mono()
  await until(() => channels.every((channel) => channel.hearing.lastBeat > cutAt), 'both hear themselves again')
})
