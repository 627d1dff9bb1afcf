// Story: kill -9 before and after each write of what ends a visit and of what replaces a picture, as in kill-points.test.ts.
// Acknowledged pages are in a visit that runs or, once the job has run, in the archive once; a profile shows a picture that
// is served whole, and none is left over.
import sharp from 'sharp'
import whole from 'tap'
import { createTestClock } from '../helper/clock.ts'
import { realEngines } from '../helper/engines.ts'
import type { Call } from '../helper/http.ts'
import { login, register, type Login } from '../helper/people.ts'
import { avatarPath, uploadCall } from '../helper/pictures.ts'
import { createDeployment, startService, until, type Caller } from '../helper/service.ts'
import { archivedIn, visitorAt } from '../helper/visitors.ts'
import { startDoomed, writesIn } from './doomed-service.ts'

whole.setTimeout(300_000) // many hashes: twenty seconds where nobody else works

const env = { SESSIONS_PER_USER: '1000', LOGIN_LIMIT_PER_ADDRESS: '0', VISIT_ARCHIVE_INTERVAL_SECONDS: '3600' }
const deployment = createDeployment(whole)
const clock = createTestClock()
const doomed = await startDoomed(whole, deployment, env)
const { person: crowd } = await register(doomed)

interface Visiting { token: string | undefined, jar: Map<string, string>, visitId: string }

const pages = ['/a', '/b', '/c']

async function visiting (token?: string): Promise<Visiting> {
  const visitor = visitorAt(doomed, { token })
  for (const page of pages) await visitor.page(page)
  await visitor.action('wave')
  return { token, jar: visitor.jar, visitId: (await visitor.show()).json.id }
}

/** The end of a visit, as its visitor asks for it. */
const endOf = ({ token, jar }: Visiting): [string, Call] =>
  ['/api/session', { method: 'DELETE', ...(token === undefined ? { headers: { cookie: [...jar].map((pair) => pair.join('=')).join('; ') } } : { token }) }]

type Colour = 'red' | 'blue'

async function uploadOf (colour: Colour, { accessToken }: Login): Promise<[string, Call]> {
  const content = await sharp({ create: { width: 64, height: 64, channels: 3, background: colour } }).png().toBuffer()
  return [avatarPath, uploadCall([{ filename: 'me.png', type: 'image/png', content }], accessToken)]
}

/** The colour of the picture that a profile shows, once it was decoded whole; undefined if it shows none or a broken one. */
async function colourAt (caller: Caller, token: string): Promise<Colour | undefined> {
  const { avatarUrl } = (await caller.get('/api/auth/profile', { token })).json
  const { status, bytes } = await caller.get(avatarUrl ?? '/api/avatars/none')
  if (status !== 200) return undefined
  const [red = 0, , blue = 0] = await sharp(bytes, { failOn: 'warning' }).removeAlpha().raw().toBuffer()
  return red > blue ? 'red' : 'blue'
}

/** A user with a red picture, and the upload of a blue one. */
async function pictured () {
  const signedIn = await register(doomed)
  const { status } = await doomed.call(...await uploadOf('red', signedIn))
  if (status >= 300) throw new Error(`the first picture: ${status}`)
  return { ...signedIn, upload: await uploadOf('blue', signedIn) }
}

const [users, guests, pictures] = await Promise.all([
  doomed.strikeEach(async () => await visiting((await login(doomed, crowd)).accessToken), endOf),
  doomed.strikeEach(() => visiting(), endOf),
  doomed.strikeEach(pictured, ({ upload }) => upload)
])
await doomed.kill()

const restarted = await startService(whole, { env, deployment, clock })
let late = restarted // from the third story on: an instance that runs the jobs

await whole.test('killed at each write of an upload that replaces a picture, the profile shows the old or the new one, whole', async (t) => {
  t.ok(writesIn(pictures) >= 3, `it makes ${writesIn(pictures)} writes`)
  const shown = new Set<Colour | undefined>()
  for (const { subject, stopped } of pictures) {
    const colour = await colourAt(restarted, subject.accessToken)
    t.ok(colour, `${stopped ?? 'answered'}: ${colour}`)
    if (stopped === undefined) t.equal(colour, 'blue', 'what was acknowledged was done')
    shown.add(colour)
  }
  t.strictSame(shown, new Set(['red', 'blue']), 'both worlds were met')
})

for (const [who, struck, leastWrites] of [['a user', users, 4], ['a guest', guests, realEngines ? 3 : 1]] as const) {
  await whole.test(`killed at each write of the end of a visit of ${who}, the visit runs with all of its pages or is over`, async (t) => {
    t.ok(writesIn(struck) >= leastWrites, `it makes ${writesIn(struck)} writes`)
    const statuses = new Set<number>()
    for (const { subject: { token, jar }, stopped } of struck) {
      const { status, json } = await visitorAt(restarted, { token, jar: new Map(jar) }).show()
      statuses.add(status)
      if (status === 200) t.strictSame([json.pagesVisited, json.actionCount], [pages, 1], stopped ?? 'answered')
      else t.equal(status, 404, stopped ?? 'answered')
      if (stopped === undefined) t.equal(status, 404, 'what was acknowledged was done')
    }
    // guests without Redis are known to their process alone, and gone with it
    t.strictSame(statuses, new Set(realEngines || who === 'a user' ? [200, 404] : [404]), 'both worlds were met')
  })
}

await whole.test('G4 after the job has run, each visit that was struck is in the archive once, with everything that was acknowledged', async (t) => {
  // the lease of the dead holds by MongoDB's clock, which nobody here moves
  await restarted.db.collection('leases').deleteMany({})
  await restarted.close()
  clock.advance(7_200_000)
  late = await startService(whole, { env: { ...env, VISIT_ARCHIVE_INTERVAL_SECONDS: '1', CLEANUP_INTERVAL_SECONDS: '10' }, deployment, clock })
  const lasting = [...users, ...(realEngines ? guests : guests.filter(({ stopped }) => stopped === undefined))]
  for (const { subject: { visitId }, stopped } of lasting) {
    await until(async () => (await archivedIn(late, { _id: visitId })).length === 1, `${stopped ?? 'answered'}: the visit is archived`)
    t.match(await archivedIn(late, { _id: visitId }), [{ pages: pages.map((pageId) => ({ pageId })), actions: [{ action: 'wave' }], pageCount: 3, actionCount: 1 }], stopped ?? 'answered')
  }
  const archived = (await archivedIn(late)).length
  t.ok(archived >= lasting.length && archived <= users.length + guests.length, `${archived} in all`)
})

await whole.test('after the clean-up has run, there is one picture for each account that was struck, and it is the one that is shown', async (t) => {
  await until(async () => await late.db.collection('avatars').countDocuments() === pictures.length, 'one picture remains for each', 15_000)
  for (const { subject: { person } } of pictures) t.ok(await colourAt(late, (await login(late, person)).accessToken))
})
