// Console: the one line that says what has just happened, and how a button or form does its work.
import { by } from './dom.ts'
import { Refusal, Unreachable } from './service.ts'

export function say (text: string, kind: 'news' | 'failure' = 'news'): void {
  const notice = by('notice')
  notice.dataset['kind'] = kind
  if (notice.textContent !== text) notice.textContent = text // who listens to the page is told once
}

/** What is a fault of the page itself is reported to the browser, too. */
export function sayFailure (error: unknown): void {
  const { name } = error as Error
  if (name === 'AbortError') return // somebody else is here by now
  if (error instanceof Refusal || error instanceof Unreachable) return say(error.message, 'failure')
  say('This page has failed. Load it again.', 'failure')
  reportError(error)
}

/** One at a time: a second press while the first is at work does nothing. */
async function work (button: HTMLButtonElement | null, job: () => Promise<void>): Promise<void> {
  if (button?.ariaBusy === 'true') return
  if (button !== null) button.ariaBusy = 'true'
  try {
    say('')
    await job()
  } catch (error) {
    sayFailure(error)
  } finally {
    if (button !== null) button.ariaBusy = 'false'
  }
}

export function onPress (button: HTMLButtonElement, job: () => Promise<void>): void {
  button.addEventListener('click', () => { void work(button, job) })
}

export function onSubmit (form: HTMLFormElement, job: () => Promise<void>): void {
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void work(form.querySelector('button'), job)
  })
}

/** @param job is given what the field holds at the change, and begins when the one before it has ended */
export function onChange (form: HTMLFormElement, job: (name: string, value: string | boolean) => Promise<void>): void {
  let last = Promise.resolve()
  form.addEventListener('submit', (event) => { event.preventDefault() })
  form.addEventListener('change', ({ target }) => {
    const changed = target as HTMLInputElement | HTMLSelectElement
    if (!changed.reportValidity()) return
    const value = changed.type === 'checkbox' ? (changed as HTMLInputElement).checked : changed.value.trim()
    last = last.then(async () => { await work(null, async () => { await job(changed.name, value) }) })
  })
}

/** Draws a list anew; whoever was in it with the keyboard is at its title then, and not at the top of the page. */
export function redraw (list: HTMLElement, title: HTMLElement, nodes: Node[]): void {
  const wasInside = list.contains(document.activeElement)
  list.replaceChildren(...nodes)
  if (!wasInside) return
  title.tabIndex = -1
  title.focus()
}
