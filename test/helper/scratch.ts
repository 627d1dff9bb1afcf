// A folder of a test's own, gone with the test. Not `t.testdir`: that is one folder a test, emptied at each call.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

export function scratchFolder (t: Pick<Test, 'teardown'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  return folder
}
