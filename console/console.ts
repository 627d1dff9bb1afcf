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

/** What the service has mounted; it writes it into the page. */
const { parts = '', docs } = document.documentElement.dataset
const isMounted = (part: string): boolean => parts.split(' ').includes(part)

const answers = createAnswerList()
const client = createService({
  onAnswer: answers.add,
  onSignedOut (code) {
    load().then(() => { say(endings[code] ?? `You are signed out (${code}).`, 'failure') }, sayFailure)
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

/** Everything as this user sees it, or a guest. */
async function show (user: User | undefined): Promise<void> {
  person.show(user)
  if (user === undefined) devices.hide()
  // preferences first: they say how times are written
  await preferences?.load(user !== undefined)
  if (user !== undefined) await devices.load()
  await visits?.load(user !== undefined)
}

async function load (): Promise<void> {
  await show(await whoIsHere(client))
}

/** A page that is looked at again shows what has happened meanwhile. */
const staleMs = 10_000
let hiddenAt = Infinity
document.addEventListener('visibilitychange', () => {
  if (document.hidden) hiddenAt = performance.now()
  else if (performance.now() - hiddenAt > staleMs) load().catch(sayFailure)
})
window.addEventListener('pageshow', ({ persisted }) => { if (persisted) load().catch(sayFailure) })

by('host').textContent = home.host + home.pathname.replace(/\/$/, '')
by('docs-link').hidden = docs !== 'on'
openChecks(client)
load().catch(sayFailure)
