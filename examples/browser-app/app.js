// What the page does: it never sees a token.
import { createLatchkeyClient } from 'latchkey/client'

const by = (id) => document.getElementById(id)
const client = createLatchkeyClient({ baseUrl: window.location.origin, mode: 'cookie', onSignedOut: (code) => { show(undefined, `Please sign in again (${code}).`) } })
window.latchkey = client // to play with in the console

function show (user, message = '') {
  by('sign-in').hidden = user !== undefined
  by('signed-in').hidden = user === undefined
  by('name').textContent = user?.username ?? ''
  by('message').textContent = message
}

async function load () {
  const { data, error } = await client.api.GET('/api/auth/profile')
  if (error) return show(undefined, error.code === 'token_missing' ? '' : error.detail)
  show(data)
  const { data: list } = await client.api.GET('/api/auth/sessions')
  by('devices').replaceChildren(...(list?.items ?? []).map(({ device, lastSeenAt, current }) => {
    const item = document.createElement('li')
    item.textContent = `${device.browser ?? 'a client'} on ${device.os ?? 'a machine'}, ${new Date(lastSeenAt).toLocaleString()}${current ? ' (this one)' : ''}`
    return item
  }))
}

by('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault()
  const { email, username, password } = Object.fromEntries(new FormData(event.target))
  const { error } = event.submitter?.name === 'register'
    ? await client.register({ email, username, password })
    : await client.signIn({ email, password })
  if (error) show(undefined, error.detail)
  else await load()
})
by('reload').addEventListener('click', load)
by('sign-out').addEventListener('click', async () => {
  const { error } = await client.signOut()
  show(undefined, error ? error.detail : 'Signed out.')
})
await load()
