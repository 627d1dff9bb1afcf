// Console: the page of the service for people: sign in, see devices and end them, preferences, visits, which tier answered. It is a
// client like any other: everything that it does is a call of the API.
import type { User } from '../client/index.ts'
import { createAnswerList, openChecks } from './answers.ts'
import { openDevices } from './devices.ts'
import { by } from './dom.ts'
import { say, sayFailure } from './notice.ts'
import { openPreferences } from './preferences.ts'
import { createService, home } from './service.ts'
import { openSignIn, whoIsHere } from './sign-in.ts'
import { openVisits } from './visits.ts'

/** What the service has mounted, and says; it writes it into the page. */
const { parts = '', docs, timing } = document.documentElement.dataset
const isMounted = (part: string): boolean => parts.split(' ').includes(part)

const answers = createAnswerList()
const client = createService({
  onAnswer: answers.add,
  onSignedOut (code) {
    lookAgain().then(() => { say(endings[code] ?? `You are signed out (${code}).`, 'failure') }, sayFailure)
  }
})

const endings: Record<string, string> = {
  session_revoked: 'This session was ended, here or on another device. Sign in again.',
  refresh_token_expired: 'This session has run out. Sign in again.',
  refresh_token_reused: 'A copy of this session was used elsewhere, so the service has ended it. Sign in again, and look at your devices.',
  token_missing: 'You are signed out.'
}

const person = openSignIn(client, show)
const devices = openDevices(client, async () => { await show(undefined) })
const preferences = isMounted('preferences') ? openPreferences(client, load) : undefined
const visits = isMounted('visits') ? openVisits(client) : undefined

let shown: string | undefined // whose page it is
let here = new AbortController() // until somebody else is here, or it is drawn anew
let loading: Promise<void> | undefined

/** Everything as this user sees it, or a guest. What the one before saw is gone at once. */
async function show (user: User | undefined): Promise<void> {
  here.abort()
  here = new AbortController()
  const { signal } = here
  person.show(user)
  if (user?.id !== shown) {
    devices.clear()
    visits?.clear()
  }
  shown = user?.id
  await preferences?.load(user !== undefined, signal) // first: they say how times are written
  const panels = [user === undefined ? Promise.resolve() : devices.load(signal), visits?.load(user !== undefined, signal) ?? Promise.resolve()]
  const ends = await Promise.allSettled(panels) // one that fails leaves the other alone
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

/** Finds out who is here; one such question is under way at a time, and whoever signs in or out meanwhile knows better. */
async function load (): Promise<void> {
  loading ??= (async () => {
    const { signal } = here
    const user = await whoIsHere(client)
    if (!signal.aborted) await show(user)
  })().finally(() => { loading = undefined })
  await loading
}

/** @returns when what is known from now on is shown */
async function lookAgain (): Promise<void> {
  await loading?.catch(() => { /* told by whoever asked */ })
  await load()
}

// what has happened meanwhile, in another tab or on another device, is seen when the page is
const look = (): void => { load().catch(sayFailure) }
document.addEventListener('visibilitychange', () => { if (!document.hidden) look() })
window.addEventListener('pageshow', ({ persisted }) => { if (persisted) look() })
window.addEventListener('storage', ({ key }) => { if (key === null || key.startsWith('latchkey ')) look() }) // where the client notes a sign-in

by('host').textContent = home.host + home.pathname.replace(/\/$/, '')
by('docs-link').hidden = docs !== 'on'
by('answers').hidden = timing !== 'on'
openChecks(client)
look()
