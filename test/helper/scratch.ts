// A folder of a test's own, gone with the test. Not `t.testdir`: that is one folder a test, emptied at each call.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** What ends with a test, or with a long run that is none. */
export type Scope = Pick<Test, 'teardown'>

export function scratchFolder (t: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  return folder
}
