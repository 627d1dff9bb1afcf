// A cell of the fault matrix (REQUIREMENTS section 3): a fault, what must hold while it stands, and how soon all is well
// after it. What holds in every cell (R-a to R-e) is judged by the run itself; a cell says only what is its own.
import type { Cast } from './cast.ts'
import type { Field } from './field.ts'
import type { Judge } from './judge.ts'

/** What a cell works with while it is played. `fail` notes what must not be; the cell goes on. */
export interface Stage {
  field: Field
  cast: Cast
  judge: Judge
  /** Every instance as it is now. */
  say: (text: string) => void
  fail: (what: string) => void
  /** A measured figure for the report. */
  measured: (text: string) => void
  /** Whether only a taste is wanted: fewer rounds. */
  isShort: boolean
}

export interface Cell {
  /** As in REQUIREMENTS; a variant behind a slash. */
  id: string
  fault: string
  /** In the words of the table. */
  required: string
  /** Milliseconds from the end of the fault to the tenth good round in a row on each instance. */
  recoverWithinMs: number
  /** How long the fault stands beside what `strike` itself takes. */
  standsMs: number
  strike: (stage: Stage) => Promise<void> | void
  heal: (stage: Stage) => Promise<void> | void
  /** Own checks while the fault stands, after its time; and after the recovery. */
  meanwhile?: (stage: Stage) => Promise<void>
  afterwards?: (stage: Stage) => Promise<void>
  /** Within what time a revocation must be felt everywhere; T without it. `verdict` is T_fault. */
  revocationWithin?: 'verdict'
  /** Largest share of checks of live sessions that may be put off with 503; any without it. */
  checksPutOffAtMost?: number
  /** Most milliseconds for 99 of 100 checks. */
  checkP99Ms?: number
  /** Nobody is let in once copies have run out: from T_fault after the strike until the healing. */
  refusesAfterVerdict?: true
  /** The accounts do not survive the fault: what was there before is not looked at afterwards. */
  losesAccounts?: true
  /** Part of `--short`. */
  short?: true
  /** Why it cannot run on this machine, or false. */
  skip?: string | false
}

/** A cell that needs what is not here. */
export interface ElsewhereCell { id: string, fault: string, needs: string, how: string }
