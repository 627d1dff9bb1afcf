// Room `user`: how every repository reads and writes MongoDB: acknowledged by the majority and on disk before we say so,
// and never longer than a client would wait (DESIGN 2 and 8).
import type { CollectionOptions } from 'mongodb'

/**
 * For `db.collection`: what was acknowledged survives a crash and an election, and the truth is read where it is written,
 * whatever the URI or a host's client prefers: a secondary may not have heard of a revocation yet.
 */
export const acknowledged: CollectionOptions = { readPreference: 'primary', writeConcern: { w: 'majority', journal: true, wtimeoutMS: 2000 } }

/** For each read and conditional write: the server gives up after this many milliseconds. */
export const bounded = Object.freeze({ maxTimeMS: 1500 })
