// Where a memory hit spends its time: V8's profile of the server while nothing else is asked, told in microseconds a request;
// once more for the unguarded route, so that what the check adds stands beside what is there anyway.
import { leaveTheServersCore, progress, serverCore, startServer } from './measure.mjs'
import { takeTurns } from './turns.mjs'

/** Whose code a frame is, the first that fits. */
const groups = [
  ['the check (`authenticate`, `session-check`, `tiered-cache`, `bounded-map`)', /\/dist\/(?:plugins\/authenticate|src\/token\/session-check|src\/token\/bearer|src\/cache\/|src\/clock)/],
  ['the rest of this service (headers, the host check, the handler)', /\/dist\/|\/bench\//],
  ['Fastify and its parts', /\/node_modules\//],
  ['Node.js: HTTP, streams, sockets, timers', /^node:/]
]

const groupOf = ({ functionName, url }) => {
  if (functionName === '(garbage collector)') return 'garbage collection'
  if (functionName === '(idle)') return undefined
  if (url === '') return functionName.startsWith('(') ? 'V8 and the kernel, outside of any function' : 'native functions (system calls of sockets, clocks, copies)'
  return groups.find(([, form]) => form.test(url))?.[0] ?? 'compiled at run time: serializers, validators'
}

/** @returns microseconds of a profile by group, and by function of the check itself and below it */
export function readProfile ({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])))
  const byGroup = new Map()
  const inCheck = new Map()
  const add = (map, key, micros) => { map.set(key, (map.get(key) ?? 0) + micros) }
  const checkForm = groups[0][1]
  for (const [at, id] of samples.entries()) {
    const micros = Math.max(0, timeDeltas[at])
    const { callFrame } = byId.get(id)
    const group = groupOf(callFrame)
    if (group === undefined) continue
    // what the check calls is its cost too, but for the rest of the request, which goes on inside its `done`
    let above = id
    let isBehind = false
    while (above !== undefined && !checkForm.test(byId.get(above).callFrame.url)) {
      isBehind ||= byId.get(above).callFrame.url.endsWith('/fastify/lib/hooks.js')
      above = parents.get(above)
    }
    if (above !== undefined && !isBehind) add(inCheck, callFrame.functionName || '(anonymous)', micros)
    add(byGroup, above !== undefined && !isBehind ? groups[0][0] : group, micros)
  }
  return { byGroup, inCheck }
}

export async function measureProfile ({ tokenCount, connections }) {
  progress('profile: starting')
  leaveTheServersCore()
  const server = await startServer({ REDIS_URL: process.env.REDIS_URL }, { tokenCount, core: serverCore })
  const to = (path) => server.tokens.map((token) => ({ path, headers: { authorization: `Bearer ${token}` } }))
  const profiles = {}
  try {
    for (const [name, path] of [['guarded', '/protected'], ['unguarded', '/bench/unguarded']]) {
      const settings = { turns: 60, connections }
      await takeTurns(server, `profile: ${name}`, { [name]: to(path) }, settings) // hot before it is looked at
      let asked = 0
      const profile = await server.profile(async () => { asked = (await takeTurns(server, `profile: ${name}`, { [name]: to(path) }, { ...settings, turns: 150 }))[name].reduce((sum, { count }) => sum + count, 0) })
      const { byGroup, inCheck } = readProfile(profile)
      const perRequest = (map) => Object.fromEntries([...map].map(([key, micros]) => [key, micros / asked]))
      profiles[name] = { groups: perRequest(byGroup), check: perRequest(inCheck) }
    }
  } finally {
    await server.stop()
    progress('')
  }
  console.log('\n## Where a memory hit spends its time\n\n| microseconds a request, as V8 samples them | guarded | unguarded |\n|---|---|---|')
  const { guarded, unguarded } = profiles
  const names = Object.entries(guarded.groups).sort(([, one], [, other]) => other - one).map(([name]) => name)
  for (const name of names) console.log(`| ${name} | ${guarded.groups[name].toFixed(2)} | ${(unguarded.groups[name] ?? 0).toFixed(2)} |`)
  console.log('\n| inside the check | microseconds a request |\n|---|---|')
  for (const [name, micros] of Object.entries(guarded.check).sort(([, one], [, other]) => other - one).filter(([, micros]) => micros >= 0.01)) console.log(`| \`${name}\` | ${micros.toFixed(2)} |`)
  return profiles
}
