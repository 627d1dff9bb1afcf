// An empty project with the package in it, packed and installed as it would be from the registry. Asks the npm registry for what
// the package needs.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildIfNewer } from '../../scripts/build.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * @param like a folder whose package.json and lock file say what is installed beside the package
 * @returns the folder, what was packed, how to run a command there, and how to end it all
 */
export function makeProject (like) {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-package-'))
  const close = () => { rmSync(folder, { recursive: true, force: true }) }

  /** @returns what it printed; fails with that */
  function run (command, args, cwd = folder) {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, npm_config_audit: 'false', npm_config_fund: 'false' } })
    if (status === 0) return stdout
    console.error(`${command} ${args.join(' ')}: exit code ${status}\n${stdout}${stderr}`)
    throw new Error(`${command} failed`)
  }

  try {
    buildIfNewer()
    const [{ filename, files }] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root))
    if (like === undefined) writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
    else for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(like, name), join(folder, name))
    if (like !== undefined) run('npm', ['ci', '--ignore-scripts', '--prefer-offline'])
    run('npm', ['install', '--ignore-scripts', '--prefer-offline', `./${filename}`])
    return { folder, packed: files.map(({ path }) => path), run, close }
  } catch (error) {
    close()
    throw error
  }
}
