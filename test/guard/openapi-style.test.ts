// Guard: the committed document in the eyes of somebody else: `redocly lint` with the rules of redocly.yaml finds nothing. It
// runs without a network: no telemetry, no look for a newer version, no registry.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Report { totals: { errors: number, warnings: number, ignored: number }, problems: { ruleId: string, message: string, location: { pointer?: string }[] }[] }

function lint (document: string): Report {
  const { stdout, stderr } = spawnSync(process.execPath, ['node_modules/@redocly/cli/bin/cli.js', 'lint', document, '--config', 'redocly.yaml', '--format', 'json'], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], CI: '1', REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  })
  if (!stdout.startsWith('{')) throw new Error(`${stdout}${stderr}`)
  return JSON.parse(stdout) as Report
}

await t.test('redocly lint finds nothing in docs/openapi.json, and nothing is left out', async (t) => {
  const { totals, problems } = lint('docs/openapi.json')
  t.strictSame(problems.map(({ ruleId, message, location: [at] }) => `${ruleId} at ${at?.pointer ?? ''}: ${message}`), [])
  t.strictSame(totals, { errors: 0, warnings: 0, ignored: 0 })
})
