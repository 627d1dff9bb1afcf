// What happened in a run, as far as clients and this machine could see it: one line of JSON each, in the order in which it
// ended. All times are milliseconds since the run began, from one monotonic clock. Tokens appear as short hashes only.
import { createHash } from 'node:crypto'
import { createWriteStream, readFileSync } from 'node:fs'

export type Inst = 'a' | 'b'

/** Calls that need nothing but a live session and change nothing that the others look at. */
export const readOps = ['profile', 'protected', 'list', 'prefs-read', 'visit-read'] as const
export type Op = typeof readOps[number] | 'register' | 'login' | 'guess' | 'refresh' | 'replay' | 'logout' | 'logout-all' | 'delete' | 'password' |
  'prefs-write' | 'profile-write' | 'page' | 'visit-end'

/** What an answer said. */
export interface Out {
  /** Id of the account that it is about. */
  who?: string
  /** The session that it opened or went on with. */
  sid?: string
  /** The refresh token that it gave. */
  rt?: string
  /** End of the access token that it gave, and of the session. */
  exp?: number
  endsAt?: number
  absoluteAt?: number
  /** Number of the value that a register held. */
  value?: number
  /** Number of the name beside it. */
  name?: number
  /** Sids, or tags of pages. */
  items?: string[]
  /** The list went on. */
  isCut?: boolean
  visit?: string
  seconds?: number
}

/** One finished call of a client. `maybe` is a call with status 0 (no answer) or 5xx. */
export interface Call {
  kind: 'call'
  client: string
  op: Op
  inst: Inst
  t0: number
  t1: number
  status: number
  code?: string
  /** Id of the account that it is about, for `register` the address in small letters. */
  user?: string
  /** The session of the token that was presented. */
  sid?: string
  /** The refresh token that was presented. */
  rt?: string
  /** End of the token that was presented, as far as its owner knew. */
  exp?: number
  /** What was written: the number of a value or a password; of a login, the number of the password used. */
  value?: number
  /** A page's tag, or the session that was to end. */
  target?: string
  /** Of a login, where it came from. */
  from?: string
  out?: Out
}

export type Broken = 'redis' | 'mongo' | 'network' | 'instance'

/** Something that was broken, from its beginning until both instances were well again. */
export interface Fault { kind: 'fault', name: string, what: Broken, inst?: Inst, t0: number, healed: number, t1: number, losesRedis: boolean }

/** What a process held. */
export interface Sample { kind: 'sample', inst: Inst, phase: 'begin' | 'end', rssMb: number, descriptors: number, lives: number }

export interface SessionFound { sid: string, user: string, generation: number, isLive: boolean }
export interface VisitFound { visit: string, user: string | null, state: string, pages: string[], isLate: boolean, hasEnd: boolean }

/** What the stores held at the end, looked at without changing anything. */
export interface Census {
  kind: 'census'
  at: number
  sessions: SessionFound[]
  /** Accounts by address, in small letters. */
  accounts: Record<string, number>
  visits: VisitFound[]
  /** Live sessions that the service told of, and those that MongoDB held before and after. */
  stats: { told: number, least: number, most: number }
}

export type Line = Call | Fault | Sample | Census

export interface History { calls: Call[], faults: Fault[], samples: Sample[], census?: Census }

export const isOk = ({ status }: Call): boolean => status >= 200 && status < 300
/** It may have been done, even later. */
export const isMaybe = ({ status }: Call): boolean => status === 0 || status >= 500

/** Stands for a token. */
export const mark = (token: string): string => createHash('sha256').update(token).digest('base64url').slice(0, 10)

export interface Recorder { add: (line: Line) => void, history: History, close: () => Promise<void> }

const emptyHistory = (): History => ({ calls: [], faults: [], samples: [] })

function sort (history: History, line: Line): void {
  if (line.kind === 'call') history.calls.push(line)
  else if (line.kind === 'fault') history.faults.push(line)
  else if (line.kind === 'sample') history.samples.push(line)
  else history.census = line
}

/** A history that was written to a file, whole: the last line is the census. */
export function readHistory (file: string): History {
  const history = emptyHistory()
  for (const text of readFileSync(file, 'utf8').trimEnd().split('\n')) sort(history, JSON.parse(text) as Line)
  if (history.census === undefined) throw new Error(`${file} ends before its run did`)
  return history
}

/** @param file where the lines go; nowhere without it */
export function createRecorder (file?: string): Recorder {
  const history = emptyHistory()
  const stream = file === undefined ? undefined : createWriteStream(file)
  return {
    history,
    add (line) {
      sort(history, line)
      stream?.write(`${JSON.stringify(line)}\n`)
    },
    close: () => new Promise((resolve) => { stream === undefined ? resolve() : stream.end(resolve) })
  }
}
