// Compiles the sources into dist/. The new code is made in a folder of its own and renamed into place, so that a service
// running from dist/ is not disturbed and a build that dies leaves nothing half-made. A stamp says what dist/ was made from.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const sources = ['src', 'plugins', 'routes']

/** A hash of everything that dist/ is made from. */
function stamp () {
  const hash = createHash('sha256')
  const files = [
    'tsconfig.json', 'tsconfig.build.json', 'package-lock.json',
    ...sources.flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name))).filter((name) => name.endsWith('.ts')).sort()
  ]
  for (const file of files) hash.update(file).update('\0').update(readFileSync(join(root, file))).update('\0')
  return hash.digest('hex')
}

const stampOf = (folder) => existsSync(join(folder, '.stamp')) ? readFileSync(join(folder, '.stamp'), 'utf8') : undefined

/** @returns whether dist/ had to be made anew */
export function buildIfNewer () {
  const wanted = stamp()
  if (stampOf(dist) === wanted) return false
  const fresh = `${dist}.${process.pid}`
  rmSync(fresh, { recursive: true, force: true })
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const { status } = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', fresh], { stdio: 'inherit', cwd: root })
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true })
    process.exit(status ?? 1)
  }
  writeFileSync(join(fresh, '.stamp'), wanted)
  if (stampOf(dist) !== wanted) { // another build may have been first
    const old = `${fresh}.old`
    if (existsSync(dist)) renameSync(dist, old)
    renameSync(fresh, dist)
    rmSync(old, { recursive: true, force: true })
  }
  rmSync(fresh, { recursive: true, force: true })
  return true
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(buildIfNewer() ? 'built into dist/' : 'dist/ is up to date')
