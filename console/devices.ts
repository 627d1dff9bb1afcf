// Console: where the account is signed in, and an end to it.
import type { components, LatchkeyClient } from '../client/index.ts'
import { by, counted, make, makeTime } from './dom.ts'
import { onPress, redraw, say } from './notice.ts'
import { dataOf } from './service.ts'
import { leave } from './sign-in.ts'

type Device = components['schemas']['SessionList']['items'][number]

export interface DeviceList {
  /** @param signal after which somebody else is here */
  load: (signal: AbortSignal) => Promise<void>
  clear: () => void
}

/** @param signedOut called when nobody is signed in here any more */
export function openDevices (client: LatchkeyClient, signedOut: () => Promise<void>): DeviceList {
  const { api } = client
  const [panel, list, more] = [by('devices'), by('device-list'), by<HTMLButtonElement>('more-devices')]
  let cursor: string | null = null
  let here: AbortSignal

  async function add (after: string | null): Promise<void> {
    const { items, nextCursor } = await dataOf(api.GET('/api/auth/sessions', { signal: here, params: { query: after === null ? {} : { cursor: after } } }), here)
    cursor = nextCursor
    const rows = items.map(makeRow)
    if (after === null) redraw(list, by('devices-title'), rows)
    else list.append(...rows)
    more.hidden = cursor === null
    by('device-count').textContent = `${list.children.length}${cursor === null ? '' : ' and more'}`
    by('end-others').hidden = list.children.length < 2
    panel.hidden = false
  }

  function makeRow (device: Device): HTMLLIElement {
    const button = make('button', { type: 'button', textContent: device.current ? 'Sign out' : 'End', ariaLabel: `${device.current ? 'Sign out of' : 'End'} ${nameOf(device)}` })
    onPress(button, async () => { await (device.current ? endHere() : end(device)) })
    return make('li', {},
      make('div', {},
        make('strong', { textContent: nameOf(device) }), ' ',
        device.current && make('span', { className: 'badge', textContent: 'this device' }),
        make('span', { className: 'small' }, 'signed in ', makeTime(device.createdAt), ` from ${device.ip}`),
        make('span', { className: 'small' }, 'last seen ', makeTime(device.lastSeenAt), ', ends ', makeTime(device.expiresAt))
      ), button)
  }

  async function end (device: Device): Promise<void> {
    await dataOf(api.DELETE('/api/auth/sessions/{id}', { params: { path: { id: device.id } } }))
    await add(null)
    say(`${nameOf(device)} is signed out.`)
  }

  async function endHere (): Promise<void> {
    await leave(client)
    await signedOut()
    say('Signed out.')
  }

  onPress(more, async () => { await add(cursor) })
  onPress(by<HTMLButtonElement>('end-others'), async () => {
    const { revoked } = await dataOf(api.DELETE('/api/auth/sessions'))
    await add(null)
    say(`${counted(revoked, 'other device is', 'other devices are')} signed out.`)
  })
  onPress(by<HTMLButtonElement>('end-all'), async () => {
    const { revoked } = await dataOf(api.POST('/api/auth/logout-all', { body: {} }))
    await signedOut()
    say(`Signed out on ${counted(revoked, 'device')}.`)
  })

  return {
    async load (signal) {
      here = signal
      await add(null)
    },
    clear () {
      panel.hidden = true
      list.replaceChildren()
    }
  }
}

const nameOf = ({ device: { browser, os, type } }: Device): string =>
  browser === null && os === null ? 'A program' : `${browser ?? 'A client'} on ${os ?? (type === 'unknown' ? 'a machine' : `a ${type}`)}`
