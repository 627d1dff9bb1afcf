// The clients of a cell: honest ones, each in a loop of its own, on both instances, before, during and after the fault.
// They do what clients do with a 503: they come again with the same request.
import { newPerson } from '../helper/people.ts'
import type { Caller } from '../helper/service.ts'
import { visitorAt } from '../helper/visitors.ts'
import type { Cast, Chooser, Diary, Member } from './cast.ts'
import { wait, type Instance } from './field.ts'
import type { Judge } from './judge.ts'

export interface Load { stop: () => Promise<void> }

const protectedPath = '/api/protected'
/** Milliseconds after which a client comes again. */
const againMs = 250

export function startLoad (instances: readonly [Instance, Instance], cast: Cast, judge: Judge): Load {
  const enough = new AbortController()
  const goesOn = (): boolean => !enough.signal.aborted
  /** As a balancer does: an instance that is known to be down is passed by. */
  const at = (turn: number): Instance => {
    const one = instances[turn % 2] as Instance
    return one.isUp() ? one : instances[(turn + 1) % 2] as Instance
  }
  const loop = async (pauseMs: number, work: (turn: number) => Promise<unknown>): Promise<void> => {
    for (let turn = 0; goesOn(); turn++) {
      await work(turn)
      await wait(pauseMs)
    }
  }

  async function check (instance: Instance, member: Member, turn: number): Promise<void> {
    const { outcome, answer } = await judge.ask('check', instance, turn % 3 === 0 ? '/api/auth/profile' : protectedPath, { token: member.accessToken }, [200])
    const user = turn % 3 === 0 ? answer?.json : answer?.json?.user
    if (outcome === 'done' && user.id !== member.userId) judge.wrong('an answer was about somebody else')
  }

  async function checkEnded (turn: number): Promise<void> {
    const one = turn % 2 === 0 ? cast.ended.at(-1) : cast.ended[Math.floor(Math.random() * cast.ended.length)]
    if (one === undefined) return
    const { answer, begin } = await judge.ask('ended check', at(turn >> 1), protectedPath, { token: one.accessToken }, [401, 200])
    if (answer?.status === 200) judge.ranOn(begin - one.endedAt)
  }

  async function refresh (member: Member, turn: number): Promise<void> {
    const ask = (instance: Instance) => judge.ask('refresh', instance, '/api/auth/refresh', { method: 'POST', body: { refreshToken: member.refreshToken } }, [200])
    const asked = await Promise.all(turn % 4 === 0 ? [ask(at(turn)), ask(at(turn + 1))] : [ask(at(turn))])
    const successors = asked.filter(({ outcome }) => outcome === 'done').map(({ answer }) => answer?.json as Member)
    if (new Set(successors.map(({ refreshToken }) => refreshToken)).size > 1) judge.wrong('one refresh token had two successors')
    const [next] = successors
    if (next === undefined) return await wait(againMs)
    member.refreshToken = next.refreshToken
    member.accessToken = next.accessToken
    await check(at(turn + 1), member, 1)
  }

  async function openAndEnd (person: { email: string, password: string }, turn: number): Promise<void> {
    const opened = await judge.ask('login', at(turn), '/api/auth/login', { method: 'POST', body: { email: person.email, password: person.password } }, [200])
    if (opened.outcome !== 'done') return
    const { accessToken, refreshToken } = opened.answer?.json as Member
    for (const instance of instances) if (instance.isUp()) await judge.ask('check', instance, protectedPath, { token: accessToken }, [200])
    for (let tries = 0; goesOn() || tries < 20; tries++) {
      const path = turn % 3 === 0 ? '/api/auth/logout-all' : '/api/auth/logout'
      const { outcome } = await judge.ask('end', at((turn >> 1) + tries), path, { method: 'POST', token: accessToken }, [200])
      if (outcome === 'done') {
        cast.ended.push({ accessToken, refreshToken, endedAt: performance.now() })
        return
      }
      await wait(againMs)
    }
  }

  async function writeDiary ({ member, acknowledged, maybe }: Diary, turn: number): Promise<void> {
    const pageId = `/page-${turn}`
    const { outcome } = await judge.ask('page', at(turn), '/api/session/page', { method: 'POST', token: member.accessToken, body: { pageId } }, [201])
    if (outcome === 'done') acknowledged.push(pageId)
    else maybe.add(pageId)
  }

  async function choose (chooser: Chooser, turn: number): Promise<void> {
    const { member: { accessToken: token }, maybe } = chooser
    const language = `en-x-n${turn}`
    const { outcome } = await judge.ask('preferences', at(turn), '/api/preferences', { method: 'POST', token, body: { language } }, [200])
    if (outcome === 'done') chooser.chosen = language
    else maybe.add(language)
    const read = await judge.ask('preferences', at(turn + 1), '/api/preferences', { token }, [200])
    const found = read.answer?.json?.language as string
    if (read.outcome === 'done' && chooser.chosen !== undefined && found !== chooser.chosen && !maybe.has(found)) judge.wrong(`preferences: ${found} instead of ${chooser.chosen}`)
  }

  async function sign (): Promise<void> {
    const person = newPerson()
    const { outcome } = await judge.ask('register', at(cast.registered.length), '/api/auth/register', { method: 'POST', body: person }, [201])
    if (outcome === 'done') cast.registered.push(person)
  }

  async function probe (turn: number): Promise<void> {
    const [live, ready] = [at(turn), at(turn)]
    const alive = await judge.ask('probe', live, '/livez', {}, [200])
    if (alive.outcome === 'off') judge.wrong('/livez: 503')
    await judge.ask('probe', ready, '/readyz', {}, [200])
  }

  const guest = guestOf(() => at(Math.floor(Math.random() * 2)), judge)
  const workers = [
    ...instances.flatMap((instance, i) => [0, 1].map((n) => loop(15, (turn) => instance.isUp() ? check(instance, cast.live[(turn + i + n) % cast.live.length] as Member, turn) : wait(againMs)))),
    ...[0, 1].map(() => loop(15, checkEnded)),
    ...cast.refreshers.map((member) => loop(100, (turn) => refresh(member, turn))),
    ...cast.enders.map((person) => loop(200, (turn) => openAndEnd(person, turn))),
    ...cast.diaries.map((diary) => loop(60, (turn) => writeDiary(diary, turn))),
    ...cast.choosers.map((chooser) => loop(60, (turn) => choose(chooser, turn))),
    loop(60, (turn) => guest(turn)),
    loop(700, sign),
    loop(300, probe)
  ]
  return {
    async stop () {
      enough.abort()
      await Promise.all(workers)
    }
  }
}

/** A guest who goes from page to page, with the cookies of a browser. */
function guestOf (instance: () => Instance, judge: Judge): (turn: number) => Promise<void> {
  const caller = {
    async call (path, call = {}) {
      const { answer } = await judge.ask('guest page', instance(), path, call, [201])
      if (answer === undefined) throw new Error('broken off')
      return answer
    }
  } as Caller
  const guest = visitorAt(caller)
  return async (turn) => { await guest.page(`/guest-${turn}`).catch(() => { /* it was judged */ }) }
}
