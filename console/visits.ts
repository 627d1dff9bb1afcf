// Console: visits as time lines. A guest sees the one that runs, a user those of all devices and the archive.
import type { components, LatchkeyClient } from '../client/index.ts'
import { by, clockText, counted, make, makeTime, textsOf } from './dom.ts'
import { onPress, onSubmit, redraw, say, sayFailure } from './notice.ts'
import { dataOf, Refusal } from './service.ts'

type Visit = components['schemas']['Visit'] & Partial<components['schemas']['ListedVisit']>
type Noted = { at: string, text: string, isAction: boolean }

export interface VisitPanel {
  /** @param signal after which somebody else is here */
  load: (isSignedIn: boolean, signal: AbortSignal) => Promise<void>
  clear: () => void
}

/** Most entries that one request answers. */
const mostEntries = 200

export function openVisits ({ api }: LatchkeyClient): VisitPanel {
  const [running, archived, more, endVisit] = [by('running'), by('archived'), by<HTMLButtonElement>('more-visits'), by<HTMLButtonElement>('end-visit')]
  let isMember = false
  let cursor: string | null = null
  let here: AbortSignal
  let shown: string | undefined // the running visit of this device
  const open = new Set<string>() // visits whose time line is shown

  async function runningVisits (): Promise<Visit[]> {
    try {
      const answer = await dataOf(api.GET('/api/session', { signal: here, params: { query: isMember ? { scope: 'user', limit: mostEntries } : {} } }), here)
      return 'items' in answer ? answer.items : [{ ...answer, current: true }]
    } catch (error) {
      if (error instanceof Refusal && error.code === 'visit_not_found') return []
      throw error
    }
  }

  async function loadRunning (): Promise<void> {
    const visits = await runningVisits()
    const current = visits.find((visit) => visit.current)
    if (current !== undefined && current.id !== shown) open.add(current.id) // the one of this device is open from the beginning
    shown = current?.id
    const none = make('p', { className: 'hint', textContent: 'None. The first page or action begins one.' })
    redraw(running, by('running-title'), visits.length === 0 ? [none] : visits.map((visit) => makeVisit(visit)))
    endVisit.hidden = current === undefined
  }

  async function addArchived (after: string | null): Promise<void> {
    const { items, nextCursor } = await dataOf(api.GET('/api/session/history', { signal: here, params: { query: { limit: 10, ...(after !== null && { cursor: after }) } } }), here)
    cursor = nextCursor
    const visits = items.map((visit) => makeVisit(visit))
    if (after === null) redraw(archived, by('archive-title'), visits)
    else archived.append(...visits)
    if (archived.children.length === 0) archived.append(make('p', { className: 'hint', textContent: 'No visit is over yet.' }))
    more.hidden = cursor === null
  }

  async function load (): Promise<void> {
    await loadRunning()
    if (isMember) await addArchived(null)
  }

  /** Its time line is asked for when it is opened. */
  function makeVisit (visit: Visit): HTMLDetailsElement {
    const { id, startTime, sessionDuration, pageCount, actionCount, endTime, current } = visit
    const line = make('ol', { className: 'timeline' })
    const details = make('details', { className: 'visit' },
      make('summary', {}, makeTime(startTime), ' ',
        current === true && make('span', { className: 'badge', textContent: isMember ? 'this device' : 'yours' }),
        make('span', { className: 'small', textContent: `${clockText(sessionDuration)} ${typeof endTime === 'string' ? 'long' : 'so far'}, ${counted(pageCount, 'page')}, ${counted(actionCount, 'action')}` })),
      line)
    details.open = open.has(id)
    details.addEventListener('toggle', () => {
      if (details.open) open.add(id)
      else open.delete(id)
      if (details.open && line.children.length === 0) entriesOf(visit).then((entries) => { line.replaceChildren(...entries.map((entry) => makeEntry(entry, startTime))) }).catch(sayFailure)
    })
    return details
  }

  /** Everything that was noted, in the order of time. */
  async function entriesOf ({ id }: Visit): Promise<Noted[]> {
    const found: Noted[] = []
    for (const list of [pagesAfter, actionsAfter]) {
      for (let next: string | null = ''; next !== null;) next = await list({ limit: mostEntries, ...(isMember && { visit: id }), ...(next !== '' && { cursor: next }) }, found)
    }
    return found.sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
  }

  type Query = { limit: number, visit?: string, cursor?: string }

  async function pagesAfter (query: Query, found: Noted[]): Promise<string | null> {
    const { items, nextCursor } = await dataOf(api.GET('/api/session/page', { signal: here, params: { query } }), here)
    found.push(...items.map(({ pageId, at }) => ({ at, text: pageId, isAction: false })))
    return nextCursor
  }

  async function actionsAfter (query: Query, found: Noted[]): Promise<string | null> {
    const { items, nextCursor } = await dataOf(api.GET('/api/session/action', { signal: here, params: { query } }), here)
    found.push(...items.map(({ action, target, details, at }) => ({ at, text: [action, target ?? '', details === null ? '' : JSON.stringify(details)].join(' ').trim(), isAction: true })))
    return nextCursor
  }

  const [pageForm, actionForm] = [by<HTMLFormElement>('page-form'), by<HTMLFormElement>('action-form')]
  onSubmit(pageForm, async () => {
    const { pageId = '' } = textsOf(pageForm)
    const { pageCount } = await dataOf(api.POST('/api/session/page', { body: { pageId } }))
    await loadRunning()
    say(`Noted; ${counted(pageCount, 'page')} in this visit.`)
  })
  onSubmit(actionForm, async () => {
    const { action = '', target } = textsOf(actionForm)
    const { actionCount } = await dataOf(api.POST('/api/session/action', { body: { action, ...(target !== undefined && { target }) } }))
    await loadRunning()
    say(`Noted; ${counted(actionCount, 'action')} in this visit.`)
  })
  onPress(endVisit, async () => {
    const { sessionDuration } = await dataOf(api.DELETE('/api/session'))
    await load()
    say(`The visit is over, after ${clockText(sessionDuration)}.`)
  })
  onPress(more, async () => { await addArchived(cursor) })

  return {
    async load (isSignedIn, signal) {
      isMember = isSignedIn
      here = signal
      by('visits-hint').textContent = isMember
        ? 'A visit is a browsing session. Those of all your devices, and what is over.'
        : 'A visit is a browsing session. A guest\'s comes along when you sign in.'
      by('archive').hidden = !isMember
      await load()
      by('visits').hidden = false
    },
    clear () {
      by('visits').hidden = true
      for (const list of [running, archived]) list.replaceChildren()
      open.clear()
      shown = undefined
    }
  }
}

function makeEntry ({ at, text, isAction }: Noted, startTime: string): HTMLLIElement {
  const time = make('time', { dateTime: at, title: at, textContent: `+${clockText(Math.max(0, Date.parse(at) - Date.parse(startTime)) / 1000)}` }) // what begins a visit may be noted a moment before it
  return make('li', { className: isAction ? 'action' : 'page' }, time, text)
}
