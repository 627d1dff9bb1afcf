// Room `job`: who may run a job now, so that it runs once across instances. A lease is a document that one conditional
// write hands out, by MongoDB's own clock, because those of the instances differ. It is short and renewed while the job
// runs; when its holder dies, somebody else has it within the length of a lease.
import type { Db } from 'mongodb'
import { isDuplicateKey } from '../errors.ts'
import { acknowledgedCollection } from '../user/store-options.ts'

interface LeaseRecord { _id: string, holder: string, until: Date }

export interface Leases {
  /** @returns whether the holder has the lease for `ms` milliseconds from now on */
  take: (name: string, holder: string, ms: number) => Promise<boolean>
  /** Moves the end of a lease that one holds; nobody has the job before it. @returns false if it was lost */
  hold: (name: string, holder: string, ms: number) => Promise<boolean>
}

const untilIn = (ms: number) => ({ $add: ['$$NOW', ms] })

export function createLeases (db: Db): Leases {
  const leases = acknowledgedCollection<LeaseRecord>(db, 'leases')

  async function takeFree (name: string, holder: string, ms: number): Promise<boolean> {
    const free = { _id: name, $expr: { $lte: ['$until', '$$NOW'] } }
    const { matchedCount } = await leases.updateOne(free, [{ $set: { holder, until: untilIn(ms) } }])
    return matchedCount === 1
  }

  return {
    async take (name, holder, ms) {
      if (await takeFree(name, holder, ms)) return true
      try {
        await leases.insertOne({ _id: name, holder: '', until: new Date(0) }) // an upsert takes no $expr
      } catch (error) {
        if (isDuplicateKey(error)) return false // it is there and not free
        throw error
      }
      return await takeFree(name, holder, ms)
    },
    async hold (name, holder, ms) {
      const { matchedCount } = await leases.updateOne({ _id: name, holder }, [{ $set: { until: untilIn(ms) } }])
      return matchedCount === 1
    }
  }
}
