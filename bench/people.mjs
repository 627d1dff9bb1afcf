// People who sign in again and again for some seconds, all at the same time, and come back when they are told to. A child of
// storm.mjs, which it tells every answer.
import os from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

os.setPriority(19) // they share a core with who measures, and are not to delay it

async function signIn ({ origin, password, isOver, answers }, email) {
  while (!isOver()) {
    const begin = performance.now()
    const response = await fetch(`${origin}/api/auth/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password }) })
    await response.arrayBuffer()
    answers.push({ at: performance.timeOrigin + performance.now(), status: response.status, ms: performance.now() - begin, hasRetryAfter: response.headers.has('retry-after') })
    if (response.status !== 200 && !isOver()) await sleep(1000 * Number(response.headers.get('retry-after') ?? 1) * (0.75 + Math.random() / 2))
  }
}

process.once('message', async ({ origin, emails, password, seconds }) => {
  const end = performance.now() + seconds * 1000
  const answers = []
  process.send('they begin')
  await Promise.all(emails.map((email) => signIn({ origin, password, isOver: () => performance.now() > end, answers }, email)))
  process.send(answers, () => process.exit(0))
})
