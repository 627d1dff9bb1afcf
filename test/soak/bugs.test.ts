// The bugs that prove the soak's checker can still be made: every piece that one replaces is in the built service, once, and
// each has its play and an invariant that must find it.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { buildIfNewer } from '../../scripts/build.mjs'
import { bugs, patchedModules } from './bugs/list.mjs'
import { plays } from './bugs/plays.ts'
import { invariantNames } from './invariants/all.ts'

await t.test('every piece that a bug replaces is in the built service, once', async (t) => {
  buildIfNewer()
  t.equal(bugs.length, 6)
  for (const bug of bugs) {
    const patched = patchedModules(bug, (module) => readFileSync(new URL(`../../dist/${module}`, import.meta.url), 'utf8'))
    for (const { module, to } of bug.patches) t.ok(patched[module]?.includes(to), `${bug.name}: ${module}`)
    t.ok(plays[bug.name], 'there is a play in which it shows')
    t.ok((invariantNames as string[]).includes(bug.finds), bug.finds)
  }
})

await t.test('a piece that is not there, or there twice, is an error', async (t) => {
  const bug = { name: 'any', what: '', finds: 'I1', patches: [{ module: 'm', from: 'piece', to: '' }] }
  t.throws(() => patchedModules(bug, () => 'nothing'), { message: /0 times/ })
  t.throws(() => patchedModules(bug, () => 'piece piece'), { message: /2 times/ })
})
