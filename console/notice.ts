// Console: the one line that says what has just happened, and how a button or form does its work.
import { by } from './dom.ts'
import { Refusal } from './service.ts'

export function say (text: string, kind: 'news' | 'failure' = 'news'): void {
  const notice = by('notice')
  notice.dataset['kind'] = kind
  notice.textContent = text
}

export function sayFailure (error: unknown): void {
  if (error instanceof Refusal) return say(error.message, 'failure')
  if (error instanceof TypeError) return say('The service cannot be reached. What is shown may be out of date.', 'failure') // as fetch says it
  say('This page has failed. Load it again.', 'failure')
  throw error
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

export function onChange (form: HTMLFormElement, job: (changed: HTMLInputElement | HTMLSelectElement) => Promise<void>): void {
  form.addEventListener('submit', (event) => { event.preventDefault() })
  form.addEventListener('change', ({ target }) => {
    const changed = target as HTMLInputElement | HTMLSelectElement
    if (changed.reportValidity()) void work(null, async () => { await job(changed) })
  })
}
