// Guard: after everything else has run, nothing secret is in what it left behind. Runs last, by test/run.mjs.
import t from 'tap'
import { redisUrl } from '../helper/engines.ts'
import { emailMark, evidenceFolder, passwordMark, readEvidence, secretMark, type EvidenceKind } from '../helper/evidence.ts'

const secrets: Record<string, RegExp> = {
  'an access token': /eyJ[\w-]{10,}\.eyJ[\w-]{10,}/,
  'a refresh token': /rt1\.[\w-]{16,}\.\d+\.[\w-]{20,}/,
  'a password hash': /\$2[aby]\$\d\d\$/,
  'a password': new RegExp(passwordMark),
  'key material': new RegExp(secretMark)
}
const address = new RegExp(emailMark.replace('.', '\\.'))

await t.test('D7 E10 no token, password, hash or key material in any log line, failure, key, value or record, and no address in any log line, failure or key', { skip: evidenceFolder === undefined && 'run by `npm test`, which gathers the evidence' }, async (t) => {
  const found: string[] = []
  const counts: Partial<Record<EvidenceKind, number>> = {}
  for (const { kind, text } of readEvidence()) {
    counts[kind] = (counts[kind] ?? 0) + 1
    for (const [name, pattern] of Object.entries(secrets)) if (pattern.test(text)) found.push(`${name} in a ${kind}: ${text.slice(0, 160)}`)
    if (['log', 'error', 'redis-key'].includes(kind) && address.test(text)) found.push(`an address in a ${kind}: ${text.slice(0, 160)}`)
  }
  t.strictSame([...new Set(found)].slice(0, 20), [])
  for (const kind of ['log', 'error', 'document', ...(redisUrl === undefined ? [] : ['redis-key', 'redis-value'] as const)] as const) t.ok((counts[kind] ?? 0) > 50, `there was something to search: ${counts[kind] ?? 0} of ${kind}`)
  t.comment(`measured: searched ${Object.entries(counts).map(([kind, count]) => `${count} ${kind}`).join(', ')}`)
})
