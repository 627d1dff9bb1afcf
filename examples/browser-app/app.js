// What the page does: it never sees a token.
import { createLatchkeyClient } from 'latchkey/client'

const by = (id) => document.getElementById(id)
const client = createLatchkeyClient({ baseUrl: window.location.origin, mode: 'cookie', onSignedOut: (code) => { show(undefined, `Please sign in again (${code}).`) } })
window.latchkey = client // to play with in the console

const say = (message) => { by('message').textContent = message }

function show (user, message = '') {
  by('sign-in').hidden = user !== undefined
  by('signed-in').hidden = user === undefined
  by('name').textContent = user?.username ?? ''
  say(message)
}

async function load () {
  const { data, error, response } = await client.api.GET('/api/auth/profile')
  // only a 401 says that nobody is signed in, and who was has been told by onSignedOut; everything else passes
  if (error) return response.status === 401 ? showSignIn() : say('The service cannot answer at the moment.')
  show(data)
  const { data: list } = await client.api.GET('/api/auth/sessions')
  by('devices').replaceChildren(...(list?.items ?? []).map(({ device, lastSeenAt, current }) => {
    const item = document.createElement('li')
    item.textContent = `${device.browser ?? 'a client'} on ${device.os ?? 'a machine'}, ${new Date(lastSeenAt).toLocaleString()}${current ? ' (this one)' : ''}`
    return item
  }))
}

function showSignIn () {
  if (by('sign-in').hidden) show(undefined)
}

/** What is started by a click: a line that goes dead is said, and changes nothing. */
const onClick = (work) => async (event) => {
  event?.preventDefault()
  try {
    await work(event)
  } catch {
    say('The service cannot be reached.')
  }
}

by('sign-in').addEventListener('submit', onClick(async ({ target, submitter }) => {
  const { email, username, password } = Object.fromEntries(new FormData(target))
  const { error } = submitter?.name === 'register'
    ? await client.register({ email, username, password })
    : await client.signIn({ email, password })
  if (error) say(error.detail)
  else await load()
}))
by('reload').addEventListener('click', onClick(load))
by('sign-out').addEventListener('click', onClick(async () => {
  const { error } = await client.signOut()
  if (error) say(error.detail)
  else show(undefined, 'Signed out.')
}))
// a page that the browser had kept may come back after somebody has signed out
window.addEventListener('pageshow', ({ persisted }) => { if (persisted) onClick(load)() })
await onClick(load)()
