// `npm run bench [-- --rounds N --seconds N --turns N --connections N --only check|profile|pages|storm|paths|growth|workers|peers --row NAME --peers A,B --most N
// --short]`: what the service costs, measured by autocannon in interleaved rounds beside routes of the same app that do without. Prints medians of the rounds; a run whose
// control strays from 0.90-1.10 is void. Starts the real engines itself if none are named.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { buildIfNewer } from '../scripts/build.mjs'
import { judgeShortly, measureCheck } from './check.mjs'
import { measureGrowth } from './growth.mjs'
import { measurePages } from './pages.mjs'
import { measurePaths } from './paths.mjs'
import { measurePeers } from './peers.mjs'
import { measureProfile } from './profile.mjs'
import { writePage } from './report.mjs'
import { measureStorm } from './storm.mjs'
import { measureWorkers } from './workers.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

if (!process.env.REDIS_URL || !process.env.MONGODB_URI) {
  const { status } = spawnSync(here('../.ci/real-engines/engines.sh'), ['run', process.execPath, ...process.argv.slice(1)], { stdio: 'inherit' })
  process.exit(status ?? 1)
}

const number = (value) => ({ type: 'string', default: value })
const { values } = parseArgs({ options: { rounds: number('5'), seconds: number('3'), turns: number('150'), connections: number('50'), tokens: number('1000'), only: { type: 'string' }, row: { type: 'string' }, peers: { type: 'string' }, most: number('1000000'), short: { type: 'boolean' } } })
const settings = { rounds: Number(values.rounds), seconds: Number(values.seconds), turns: Number(values.turns), connections: Number(values.connections), tokenCount: Number(values.tokens), row: values.row, most: Number(values.most), ...(values.peers && { peers: values.peers.split(',') }) }
const parts = { check: measureCheck, profile: measureProfile, pages: measurePages, storm: measureStorm, paths: measurePaths, growth: measureGrowth, workers: measureWorkers, peers: measurePeers }

buildIfNewer()
console.log(`${settings.tokenCount} tokens, ${settings.connections} connections, ${settings.rounds} rounds of ${settings.seconds} s, ${settings.turns} turns, Node ${process.version}, ${os.cpus().length} x ${os.cpus()[0].model}`)
if (values.short) {
  await judgeShortly(settings)
  process.exit()
}
const command = `npm run bench -- ${process.argv.slice(2).join(' ')}`.replace(/ -- $/, '')
const isWhole = values.row === undefined && values.peers === undefined
const results = {}
for (const [name, measure] of Object.entries(parts)) {
  if ((values.only ?? name) !== name) continue
  const lines = []
  const print = console.log
  console.log = (...texts) => {
    lines.push(texts.join(' '))
    print(...texts)
  }
  try {
    results[name] = await measure(settings)
  } finally {
    console.log = print
  }
  if (isWhole) writePage(name, lines, results[name], command)
}
mkdirSync(here('./results'), { recursive: true })
const file = here(`./results/${new Date().toISOString().replace(/[:.]/g, '-')}.json`)
writeFileSync(file, JSON.stringify({ node: process.version, cpu: os.cpus()[0].model, cores: os.cpus().length, ...settings, results }, null, 2))
console.log(`\nwritten to ${file.slice(here('..').length)}`)
