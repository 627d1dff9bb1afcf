// `npm run --silent sbom > latchkey.cdx.json`: the bill of materials of what is shipped, in CycloneDX, by npm's own command. It
// is asked about a copy of the lock file without development packages: `--omit dev` leaves out whatever a development package
// uses as well (seen with npm 11: ajv, semver and 23 others).
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const read = (name) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'))
const { devDependencies: _, scripts: __, ...manifest } = read('package.json')
const lock = read('package-lock.json')
const packages = Object.fromEntries(Object.entries(lock.packages).filter(([, { dev }]) => dev !== true))
delete packages[''].devDependencies

const scratch = mkdtempSync(join(tmpdir(), 'latchkey-sbom-'))
const folder = join(scratch, manifest.name) // its name is the one in the bill
try {
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ ...lock, packages }))
  const { status } = spawnSync('npm', ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'], { cwd: folder, stdio: 'inherit' })
  process.exitCode = status ?? 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
