// Keeps guarded requests going while a story mistreats an engine, and judges every answer: a live session is answered
// 200 or put off with 503 and Retry-After, a dead one 401 or put off; anything else is wrong.
import type { Service } from './service.ts'

export interface Seen { count: number, unavailable: number, slowestMs: number, wrong: string[] }

export interface Load {
  asked: () => number
  stop: () => Promise<Seen>
}

/** @param workers requests in flight at a time */
export function keepAsking (services: readonly Service[], tokens: { live: string[], dead: string[] }, workers = 16): Load {
  const seen: Seen = { count: 0, unavailable: 0, slowestMs: 0, wrong: [] }
  const all = [...tokens.live.map((token) => ({ token, expected: 200 })), ...tokens.dead.map((token) => ({ token, expected: 401 }))]
  const enough = new AbortController()

  async function work (worker: number): Promise<void> {
    for (let i = worker; !enough.signal.aborted; i++) {
      const service = services[i % services.length] as Service
      const { token, expected } = all[i % all.length] as typeof all[number]
      const answer = await service.get('/api/protected', { token })
      seen.count++
      seen.slowestMs = Math.max(seen.slowestMs, answer.ms)
      if (answer.status === 503 && answer.headers['retry-after'] !== undefined) seen.unavailable++
      else if (answer.status !== expected) seen.wrong.push(`expected ${expected}, got ${answer.status} ${answer.text.slice(0, 120)}`)
    }
  }

  const workersDone = Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)))
  return {
    asked: () => seen.count,
    async stop () {
      enough.abort()
      await workersDone
      return seen
    }
  }
}
