// What noting a page costs: POST /api/session/page of users and of guests, beside an unguarded route that takes the same
// body and does nothing (twice: the second is the control), and beside what users' pages would cost with one acknowledged
// MongoDB write for each request.
import { figuresOf, interleave, isNoisy, progress, shareOf, startServer } from './measure.mjs'

const rows = [
  { name: 'nothing', what: 'unguarded, does nothing' },
  { name: 'guests', what: 'guests: one script in Redis' },
  { name: 'users', what: 'users: group commit in MongoDB' },
  { name: 'oneWrite', what: 'users, one acknowledged write a request' }
]

/** What the group commit is for: users' pages at this multiple of one write a request, at least. */
const leastGain = 4

export async function measurePages (settings) {
  progress(`pages: starting, ${settings.tokenCount} sessions and visits`)
  const server = await startServer({ REDIS_URL: process.env.REDIS_URL, BENCH_VISITS: '1', LOGIN_LIMIT_PER_ADDRESS: '0' }, settings)
  let samples
  try {
    const post = (path, headers) => ({ path, method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: '{"pageId":"/products/42"}' })
    const users = (path) => server.tokens.map((token) => post(path, { authorization: `Bearer ${token}` }))
    const nothing = users('/bench/nothing')
    samples = await interleave(server, 'pages', {
      nothing,
      control: nothing,
      guests: server.cookies.map((cookie) => post('/api/session/page', { cookie })),
      users: users('/api/session/page'),
      oneWrite: users('/bench/one-write')
    }, settings)
  } finally {
    await server.stop()
    progress('')
  }

  const control = shareOf(samples.control, samples.nothing).share
  const gain = shareOf(samples.users, samples.oneWrite)
  console.log('\n## A page: POST /api/session/page\n')
  console.log('| | share of doing nothing | requests/s | CPU µs/request | p50 ms | p99 ms |')
  console.log('|---|---|---|---|---|---|')
  for (const { name, what } of rows) {
    const { perSecond, cpuMicros, p50, p99 } = figuresOf(samples[name])
    console.log(`| ${[what, shareOf(samples[name], samples.nothing).share.toFixed(2), Math.round(perSecond), cpuMicros.toFixed(1), p50, p99].join(' | ')} |`)
  }
  const faults = [...(isNoisy(control) ? ['VOID: the machine was too noisy'] : []), ...(gain.share < leastGain ? [`less than ${leastGain} times`] : [])]
  if (faults.length > 0) process.exitCode = 1
  console.log(`\nusers' pages: ${gain.share.toFixed(1)} times one write a request (${gain.spread.map((ratio) => ratio.toFixed(1)).join('-')}); control ${control.toFixed(2)}${faults.map((fault) => `; ${fault}`).join('')}`)
  return { control, gain, samples }
}
