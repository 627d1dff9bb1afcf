// Locks a folder over and over, leaves it half of the time as kill -9 would, and counts whether somebody else had it too.
import { randomUUID } from 'node:crypto'
import { linkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lockFolder } from '../../../src/embedded/folder-lock.ts'

const [dir = ''] = process.argv.slice(2)
const sign = join(dir, 'held')
const life = randomUUID() // starters in pid namespaces of their own have one pid, and what is stale must not come back
const stale = join(dir, `stale-${life}`)
const tally = { won: 0, refused: 0, shared: 0, errors: [] as string[] }

function attempt (step: () => void): boolean {
  try {
    step()
    return true
  } catch {
    return false
  }
}

async function once (round: number): Promise<void> {
  const release = await lockFolder(dir)
  tally.won += 1
  if (!attempt(() => writeFileSync(sign, '', { flag: 'wx' }))) tally.shared += 1
  await new Promise((resolve) => setImmediate(resolve))
  rmSync(sign, { force: true })
  release()
  if (round % 2 === 0) return
  rmSync(stale, { force: true }) // its inode may still be the lock
  writeFileSync(stale, JSON.stringify({ pid: process.pid, start: `${round}`, boot: life }))
  attempt(() => linkSync(stale, join(dir, 'latchkey.lock')))
}

async function race (ms: number): Promise<void> {
  const end = performance.now() + ms
  for (let round = 0; performance.now() < end; round++) {
    await once(round).catch((error: Error) => {
      if (/is in use by another/.test(error.message)) tally.refused += 1
      else tally.errors.push(error.message)
    })
  }
  rmSync(stale, { force: true })
  process.send?.(tally)
}

process.on('message', (ms: number) => { void race(ms) })
process.send?.('ready')
