// Proves the checker: with each bug the play that is made for it is found out by the invariant that must find it, and without
// the bug the same play is clean.
import type { Engines } from '../deployment.ts'
import type { History } from '../history.ts'
import { invariantNames, type InvariantName } from '../invariants/all.ts'
import { judge } from '../report.ts'
import { setStage } from '../stage.ts'
import { bugs, type Bug } from './list.mjs'
import { plays, type Play } from './plays.ts'

export interface Proof { bug: string, what: string, mustFind: string, found: string[], example: string, cleanWithout: boolean }

/** The module that puts a bug into a process. */
export const importOf = (bug: string): string => `${new URL('install.mjs', import.meta.url).href}?bug=${bug}`

async function perform (engines: Engines, play: Play, imports: readonly string[]): Promise<History> {
  const stage = await setStage({ engines, seed: 1, rules: play.rules, imports })
  try {
    const client = stage.clientOf('c0')
    const user = await client.accounts.register('u0h')
    if (user === undefined) throw new Error('the play cannot begin: no account')
    await play.act({ stage, client, user })
    await stage.conclude()
    return stage.recorder.history
  } finally {
    await stage.close()
  }
}

export async function prove (engines: Engines, { only, say }: { only?: string | undefined, say: (text: string) => void }): Promise<Proof[]> {
  const proofs: Proof[] = []
  for (const { name, what, finds } of bugs.filter((bug: Bug) => only === undefined || bug.name === only)) {
    const play = plays[name] as Play
    const judged = async (imports: readonly string[]) => {
      const verdicts = judge(await perform(engines, play, imports), play.rules)
      return { found: invariantNames.filter((one) => verdicts[one].violations.length > 0), verdicts }
    }
    const clean = await judged([])
    for (const one of clean.found) say(`FAIL ${name}: found without the bug: ${one}: ${clean.verdicts[one].violations[0]}`)
    const bad = await judged([importOf(name)])
    const example = bad.verdicts[finds as InvariantName].violations[0] ?? ''
    proofs.push({ bug: name, what, mustFind: finds, found: bad.found, example, cleanWithout: clean.found.length === 0 })
    say(`${example === '' ? 'FAIL: not found' : 'found'}: ${name} by ${bad.found.join(', ') || 'nothing'}: ${example}`)
  }
  return proofs
}

export const isProven = ({ mustFind, found, cleanWithout }: Proof): boolean => cleanWithout && found.includes(mustFind)
