// Installs the alternatives of bench/peers where they are not, or where their lock has changed: exactly the versions of the
// lock, no install scripts. They are not part of the project's `npm ci`, because only this comparison needs them.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('./peers', import.meta.url))

/**
 * @param folder of the alternatives
 * @param command what installs
 * @param say told before it begins, because it takes a while
 * @returns whether they had to be installed; fails with what npm said
 */
export async function installPeers (folder = here, command = ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], say = console.error) {
  const stamp = join(folder, 'node_modules', '.stamp')
  const wanted = createHash('sha256').update(readFileSync(join(folder, 'package-lock.json'))).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return false
  say('installing the alternatives, once: npm ci --ignore-scripts in bench/peers')
  await run(command, folder)
  writeFileSync(stamp, wanted)
  return true
}

async function run ([program, ...args], cwd) {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text) => { said += text })
  const code = await new Promise((resolve, reject) => { child.once('error', reject).once('close', resolve) })
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${said.trim().split('\n').slice(0, 5).join('\n')}`)
}
