// `npm run test:package`: packs the package, installs it into an empty project, compiles a host and a client there under strict
// and without skipLibCheck, and runs them; then the command, as `npx latchkey` finds it. Asks the npm registry, so it is no part
// of `npm test`.
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeProject } from './empty-project.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** @param what the promise */
function expect (what, holds) {
  console.log(`${holds ? 'ok' : 'not ok'}  ${what}`)
  if (!holds) throw new Error(what)
}

const { folder, packed, run, close } = makeProject()
try {
  const { version, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  expect('no source, test or secret is packed', packed.every((path) => /^(dist\/(src|plugins|routes|client|console)\/|docs\/|package\.json$|README|LICENSE|CHANGELOG|SECURITY)/.test(path)))
  cpSync(join(root, 'test/package/project'), folder, { recursive: true })
  run('npm', ['install', '--ignore-scripts', '--prefer-offline', '--save-dev', `typescript@${devDependencies.typescript}`, `@types/node@${devDependencies['@types/node']}`])
  run('npx', ['tsc', '-p', '.'])
  expect('a host and a client compile under strict, without skipLibCheck', true)
  expect('a host mounts it and guards its route, and fifty calls of the client share one refresh', run(process.execPath, ['out/host.js']).endsWith('ok\n'))
  expect('the command says its version', run('npx', ['latchkey', '--version']).trim() === version)
  expect('the command says what it can do', /latchkey \[command\]/.test(run('npx', ['latchkey', '--help'])))
} finally {
  close()
}
