// Console: which tier answered, counted, and the last requests of this page one by one.
import type { LatchkeyClient } from '../client/index.ts'
import { by, make, makeBar } from './dom.ts'
import { onPress, say, sayFailure } from './notice.ts'
import { dataOf, tiers, type Answer, type Tier } from './service.ts'

const names: Record<Tier, string> = { memory: 'memory', redis: 'Redis', mongo: 'MongoDB', none: 'none named' }
const shown = 12
const asked = 25
/** Times that a median is made of. */
const kept = 200

export interface AnswerList {
  add: (answer: Answer) => void
}

export function createAnswerList (): AnswerList {
  const times: Record<Tier, number[]> = { memory: [], redis: [], mongo: [], none: [] }
  const counts: Record<Tier, number> = { memory: 0, redis: 0, mongo: 0, none: 0 }

  function drawTiers (): void {
    const most = Math.max(1, ...Object.values(counts))
    by('tiers').replaceChildren(...tiers.flatMap((tier) => [
      make('dt', { textContent: names[tier] }),
      make('dd', {}, makeBar(counts[tier] / most, tier)),
      make('dd', { className: 'number', id: `tier-${tier}`, textContent: counts[tier] === 0 ? '0' : `${counts[tier]}, median ${median(times[tier]).toFixed(1)} ms` })
    ]))
  }

  drawTiers()
  return {
    add (answer) {
      const { method, path, status, tier, ms } = answer
      counts[tier]++
      times[tier].push(ms)
      if (times[tier].length > kept) times[tier].shift()
      const rows = by('answer-rows')
      rows.prepend(make('tr', {},
        make('td', { textContent: `${method} ${path}` }),
        make('td', { textContent: String(status), className: status >= 400 ? 'refused' : '' }),
        make('td', {}, make('span', { className: tier, textContent: names[tier] })),
        make('td', { className: 'number', textContent: ms.toFixed(1) })
      ))
      rows.children[shown]?.remove()
      drawTiers()
    }
  }
}

/** The buttons that have the session checked. */
export function openChecks ({ api }: LatchkeyClient): void {
  onPress(by<HTMLButtonElement>('ask'), async () => {
    for (let i = 0; i < asked; i++) await dataOf(api.GET('/api/protected'))
  })

  const isOn = by<HTMLInputElement>('ask-on')
  let isAsking = false
  let hasFailed = false
  async function ask (): Promise<void> {
    isAsking = true
    try {
      await dataOf(api.GET('/api/protected'))
      if (hasFailed) say('')
      hasFailed = false
    } catch (error) {
      hasFailed = true
      sayFailure(error)
    } finally {
      isAsking = false
    }
  }
  setInterval(() => { if (isOn.checked && !isAsking && !document.hidden) void ask() }, 1000)
}

function median (numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
