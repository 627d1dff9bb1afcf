// I11, I12: a page that was acknowledged is in its visit, once, in order; a visit is archived once.
import { livesOf, isTried } from './endings.ts'
import { createVerdict, grouped, isMaybe, isOk, told, type Invariant } from './verdict.ts'

/** I11 */
export const pages: Invariant = (history, rules) => {
  const { verdict, check } = createVerdict()
  const { calls, census } = history
  const notes = calls.filter(({ op }) => op === 'page')
  const byTag = new Map(notes.map((call) => [call.target as string, call]))

  if (census !== undefined) {
    const stored = new Map<string, number>()
    for (const { pages } of census.visits) for (const tag of pages) stored.set(tag, (stored.get(tag) ?? 0) + 1)
    for (const call of notes) {
      const count = stored.get(call.target as string) ?? 0
      check(isOk(call) ? count === 1 : count <= (isMaybe(call) ? 1 : 0), () => `${call.target} is stored ${count} times: ${told(call)}`)
    }
    for (const { visit, pages } of census.visits) {
      const begun = new Map<string, number>() // by client: the latest beginning among the pages so far
      for (const call of pages.map((tag) => byTag.get(tag))) {
        if (call === undefined || !isOk(call)) continue
        const before = begun.get(call.client) ?? -Infinity
        check(call.t1 >= before, () => `${call.target} stands behind a later page in ${visit}`)
        begun.set(call.client, Math.max(before, call.t0))
      }
    }
    const inVisit = new Map(census.visits.map(({ visit, pages }) => [visit, pages]))
    for (const end of calls.filter((call) => call.op === 'visit-end' && isOk(call))) {
      const late = (inVisit.get(end.out?.visit as string) ?? []).map((tag) => byTag.get(tag)).find((call) => call !== undefined && call.t0 > end.t1)
      check(late === undefined, () => `${late?.target} came into ${end.out?.visit} after its end`)
    }
  }

  const lives = livesOf(history, rules)
  const bySid = grouped(notes.filter(isOk), ({ sid }) => sid)
  const ends = grouped(calls.filter((call) => call.op === 'visit-end' && (isOk(call) || isMaybe(call))), ({ sid }) => sid)
  for (const read of calls.filter((call) => call.op === 'visit-read' && isOk(call) && !call.out?.isCut)) {
    const life = lives.get(read.sid as string)
    if (life !== undefined && isTried(life, read.t1)) continue // signing out ends the visit
    for (const page of bySid.get(read.sid as string) ?? []) {
      const isBefore = page.t1 < read.t0 && page.t0 + rules.visitIdleMs > read.t1 + rules.slackMs
      const isEnded = (ends.get(read.sid as string) ?? []).some((end) => end.t1 > page.t0 && end.t0 < read.t1)
      if (isBefore && !isEnded) check(read.out?.items?.includes(page.target as string) === true, () => `${page.target} is missing: ${told(read)}`)
    }
  }
  return verdict
}

/** I12 */
export const archive: Invariant = ({ calls, census }) => {
  const { verdict, check } = createVerdict()
  for (const { visit, state, isLate, hasEnd } of census?.visits ?? []) {
    check(!isLate, () => `${visit} is ${state} and should have been archived`)
    check(hasEnd === (state !== 'running'), () => `${visit} is ${state} ${hasEnd ? 'with' : 'without'} an end`)
  }
  for (const [visit, ends] of grouped(calls.filter((call) => call.op === 'visit-end' && isOk(call)), ({ out }) => out?.visit)) {
    check(new Set(ends.map(({ out }) => `${out?.seconds} ${out?.items?.length}`)).size === 1, () => `${visit} was ended as two: ${ends.map(told).join(' / ')}`)
  }
  return verdict
}
