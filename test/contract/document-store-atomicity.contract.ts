// Contract of the document store: a write to one document is one step, whoever else writes at the same time.
import { sessionOf, userOf, type Promised } from './document-store.contract.ts'

const times = <T>(n: number, make: (i: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: n }, (_, i) => make(i)))

export function atomicityContract (promised: Promised): void {
  promised('40 increments at once are 40 increments', async (t, { users }) => {
    await users.insertOne(userOf('ada'))
    await times(40, () => users.updateOne({ _id: 'ada' }, { $inc: { tokenVersion: 1 } }))
    t.match(await users.findOne({ _id: 'ada' }), { tokenVersion: 40 })
  })

  promised('of 10 conditional updates at once exactly one wins', async (t, { sessions }) => {
    await sessions.insertOne(sessionOf('s'))
    const answers = await times(10, (i) => sessions.findOneAndUpdate({ _id: 's', generation: 0 }, [{ $set: { generation: { $add: ['$generation', 1] }, revokedReason: `winner ${i}` } }], { returnDocument: 'after' }))
    const [winner, ...others] = answers.filter((answer) => answer !== null)
    t.equal(others.length, 0)
    t.strictSame(await sessions.findOne({ _id: 's' }), winner)
  })

  promised('of 10 users with one e-mail address at once exactly one is made', async (t, { users }) => {
    const answers = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => users.insertOne(userOf(`u${i}`, { emailKey: 'same' }))))
    t.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const answer of answers) if (answer.status === 'rejected') t.match(answer.reason, { code: 11000, keyPattern: { emailKey: 1 } })
    t.equal(await users.countDocuments({ emailKey: 'same' }), 1)
  })

  promised('30 pages at once are 30 pages', async (t, { visits }) => {
    await visits.insertOne({ _id: 'v', userId: 'u1', endTime: null, pages: [] })
    await times(30, (i) => visits.bulkWrite([{ updateOne: { filter: { _id: 'v', endTime: null, 'pages.id': { $ne: `p${i}` } }, update: { $push: { pages: { id: `p${i}`, pageId: 'x' } } } } }], { ordered: false }))
    t.equal(new Set((await visits.findOne({ _id: 'v' }))?.pages.map(({ id }) => id)).size, 30)
  })
}
