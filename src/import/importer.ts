// Room `import`: accounts and sessions of the old service into ours. A dry run decides the same and writes nothing; it must
// remember what it would have written (about 1 KB for an account and its session), where a real one finds it in the target.
import type { Clock } from '../clock.ts'
import type { SessionRecord } from '../session/session-rules.ts'
import type { UserRecord } from '../user/user-record.ts'
import { takeOver, type Kind, type Note } from './batches.ts'
import type { DocumentSource } from './document-source.ts'
import type { ImportStore, Names } from './import-store.ts'
import { sessionFrom } from './legacy-session.ts'
import { userFrom } from './legacy-user.ts'

export interface Importer {
  users: (documents: DocumentSource) => Promise<void>
  /** After the users, if both are taken over. */
  sessions: (documents: DocumentSource) => Promise<void>
}

export interface ImporterOptions {
  store: ImportStore
  clock: Clock
  /** Milliseconds that a session lives of which nothing says when it ends. */
  idleMs: number
  dryRun: boolean
  note: Note
}

const nothing = async (): Promise<never[]> => []

const idName = (id: string): string => `id ${id}`
const emailName = (key: string): string => `email ${key}`
const usernameName = (key: string): string => `username ${key}`
const namesOf = ({ _id, emailKey, usernameKey }: Names): string[] => [idName(_id), emailName(emailKey), usernameName(usernameKey)]

export function createImporter ({ store, clock, idleMs, dryRun, note }: ImporterOptions): Importer {
  const now = (): Date => new Date(clock.wall())
  /** What a dry run would have written. */
  const planned = new Set<string>()
  /** Each account's tokenVersion at the old service, where it is not 0: its sessions were opened under it. */
  const versions = new Map<string, number>()

  const users: Kind<UserRecord> = {
    collection: 'users',
    map (document) {
      const mapped = userFrom(document, now())
      if ('record' in mapped && mapped.record.tokenVersion > 0) versions.set(mapped.record._id, mapped.record.tokenVersion)
      return mapped
    },
    async look (records) {
      const held = new Set((await store.findNames(records)).flatMap(namesOf))
      const isTaken = (name: string): boolean => held.has(name) || planned.has(name)
      return {
        judge ({ _id, emailKey, usernameKey }) {
          if (isTaken(idName(_id))) return 'there'
          if (isTaken(emailName(emailKey))) return { skipped: 'another account has its e-mail address' }
          return isTaken(usernameName(usernameKey)) ? { skipped: 'another account has its username' } : undefined
        },
        take (record) { for (const name of namesOf(record)) (dryRun ? planned : held).add(name) }
      }
    },
    insert: dryRun ? nothing : store.insertUsers
  }

  const sessions: Kind<SessionRecord> = {
    collection: 'usersession',
    map (document) {
      const mapped = sessionFrom(document, { now: now(), idleMs })
      return mapped === null || 'reason' in mapped ? mapped : { record: { ...mapped.record, tokenVersion: versions.get(mapped.record.userId) ?? 0 } }
    },
    async look (records) {
      const [sids, current] = await Promise.all([store.findSids(records.map(({ _id }) => _id)), store.findVersions(records.map(({ userId }) => userId))])
      return {
        judge ({ _id, userId, tokenVersion }) {
          if (sids.has(_id) || planned.has(_id)) return 'there'
          const version = current.get(userId) ?? (planned.has(idName(userId)) ? tokenVersion : undefined)
          if (version === undefined) return { skipped: 'its user is not here' }
          // who signed out everywhere here meant the sessions that had not arrived yet, too
          return version === tokenVersion ? undefined : { skipped: 'all sessions of its user were ended since (or the users were not given)' }
        },
        take ({ _id }) { (dryRun ? planned : sids).add(_id) }
      }
    },
    insert: dryRun ? nothing : store.insertSessions
  }

  return {
    users: (documents) => takeOver(users, documents, note),
    sessions: (documents) => takeOver(sessions, documents, note)
  }
}
