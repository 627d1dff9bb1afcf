// `npm run test:package`: packs the package, installs it into an empty project, compiles a host and a client there under strict
// and without skipLibCheck, and runs them; then the command, as `npx latchkey` finds it. Asks the npm registry, so it is no part
// of `npm test`.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const project = mkdtempSync(join(tmpdir(), 'latchkey-package-'))

/** @returns what it printed; ends everything if it fails */
function run (command, args, cwd = project) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, npm_config_audit: 'false', npm_config_fund: 'false' } })
  if (status === 0) return stdout
  console.error(`${command} ${args.join(' ')}: exit code ${status}\n${stdout}${stderr}`)
  throw new Error(`${command} failed`)
}

/** @param what the promise */
function expect (what, holds) {
  console.log(`${holds ? 'ok' : 'not ok'}  ${what}`)
  if (!holds) throw new Error(what)
}

try {
  const { version, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  run('npm', ['run', 'build'], root)
  const [{ filename, files }] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], root))
  const paths = files.map(({ path }) => path)
  expect('no source, test or secret is packed', paths.every((path) => /^(dist\/(src|plugins|routes|client)\/|docs\/|package\.json$|README|LICENSE|CHANGELOG|SECURITY)/.test(path)))
  cpSync(join(root, 'test/package/project'), project, { recursive: true })
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  run('npm', ['install', '--ignore-scripts', '--prefer-offline', `./${filename}`])
  run('npm', ['install', '--ignore-scripts', '--prefer-offline', '--save-dev', `typescript@${devDependencies.typescript}`, `@types/node@${devDependencies['@types/node']}`])
  run('npx', ['tsc', '-p', '.'])
  expect('a host and a client compile under strict, without skipLibCheck', true)
  expect('a host mounts it and guards its route, and fifty calls of the client share one refresh', run(process.execPath, ['out/host.js']).endsWith('ok\n'))
  expect('the command says its version', run('npx', ['latchkey', '--version']).trim() === version)
  expect('the command says what it can do', /latchkey \[command\]/.test(run('npx', ['latchkey', '--help'])))
} finally {
  rmSync(project, { recursive: true, force: true })
}
