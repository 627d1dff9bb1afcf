// Compiles the sources into dist/, and bundles the console's page. The new code is made in a folder of its own and renamed into place, so that a service
// running from dist/ is not disturbed and a build that dies leaves nothing half-made. A stamp says what dist/ was made from.
import { buildSync } from 'esbuild'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('..', import.meta.url))
const sources = ['src', 'plugins', 'routes', 'client', 'console']
/** Of the console, as they are. */
const pageFiles = ['index.html', 'console.css', 'icon.svg']

/** A hash of everything that dist/ is made from. */
function stampOfSources (root) {
  const hash = createHash('sha256')
  const files = [
    'tsconfig.json', 'tsconfig.build.json', 'package-lock.json',
    ...sources.flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name))).filter((name) => /\.(ts|html|css|svg)$/.test(name)).sort()
  ]
  for (const file of files) hash.update(file).update('\0').update(readFileSync(join(root, file))).update('\0')
  return hash.digest('hex')
}

const stampOf = (folder) => existsSync(join(folder, '.stamp')) ? readFileSync(join(folder, '.stamp'), 'utf8') : undefined

/**
 * @param root folder of the project
 * @returns whether its dist/ had to be made anew
 */
export function buildIfNewer (root = here) {
  const dist = join(root, 'dist')
  const wanted = stampOfSources(root)
  if (stampOf(dist) === wanted) return false
  const fresh = `${dist}.${process.pid}`
  rmSync(fresh, { recursive: true, force: true })
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const { status } = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', fresh], { stdio: 'inherit', cwd: root })
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true })
    process.exit(status ?? 1)
  }
  bundleConsole(join(root, 'console'), join(fresh, 'console'))
  writeFileSync(join(fresh, '.stamp'), wanted)
  while (existsSync(fresh) && stampOf(dist) !== wanted) putInPlace(fresh, dist) // another build may be first, or meet this one half-way
  rmSync(fresh, { recursive: true, force: true })
  sweep(root)
  return true
}

/** One script, for browsers of the last years; its types are checked by `npm run typecheck`. */
function bundleConsole (from, to) {
  buildSync({ entryPoints: [join(from, 'console.ts')], outfile: join(to, 'console.js'), bundle: true, minify: true, format: 'esm', target: 'es2022', legalComments: 'none' })
  for (const name of pageFiles) copyFileSync(join(from, name), join(to, name))
}

function putInPlace (fresh, dist) {
  const old = `${fresh}.old`
  try {
    if (existsSync(dist)) renameSync(dist, old)
    renameSync(fresh, dist)
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error
  }
  rmSync(old, { recursive: true, force: true })
}

/** Removes what builds that were killed have left. */
function sweep (root) {
  for (const name of readdirSync(root)) {
    const pid = Number(/^dist\.(\d+)(\.old)?$/.exec(name)?.[1])
    if (pid > 0 && !isRunning(pid)) rmSync(join(root, name), { recursive: true, force: true })
  }
}

function isRunning (pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(buildIfNewer() ? 'built into dist/' : 'dist/ is up to date')
