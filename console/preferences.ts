// Console: preferences of a guest or a user. The page itself follows them: its colours, and how it writes times.
import type { components, LatchkeyClient } from '../client/index.ts'
import { by, speak } from './dom.ts'
import { onChange, say } from './notice.ts'
import { dataOf } from './service.ts'

type Preferences = components['schemas']['Preferences']

export interface PreferencePanel {
  /** @param signal after which somebody else is here */
  load: (isSignedIn: boolean, signal: AbortSignal) => Promise<void>
}

/** @param respoken called when times are written in another language from now on */
export function openPreferences ({ api }: LatchkeyClient, respoken: () => Promise<void>): PreferencePanel {
  const form = by<HTMLFormElement>('preferences-form')
  const field = <E extends HTMLElement>(name: string): E => form.elements.namedItem(name) as Element as E
  const [theme, language, notifications] = [field<HTMLSelectElement>('theme'), field<HTMLInputElement>('language'), field<HTMLInputElement>('notifications')]

  function follow (preferences: Preferences): void {
    document.documentElement.dataset['theme'] = preferences.theme
    speak(preferences.language)
  }

  onChange(form, async (name, value) => {
    const kept = await dataOf(api.POST('/api/preferences', { body: { [name]: value } }))
    follow(kept)
    if (name === 'language') {
      if (language.value.trim() === value) language.value = kept.language // as it is spelled, unless it has been changed again
      await respoken()
    }
    say('Kept.')
  })

  return {
    async load (isSignedIn, signal) {
      by('preferences-hint').textContent = isSignedIn
        ? 'Kept with the account, on every device.'
        : 'A guest\'s are kept in a signed cookie; they come along when you sign in.'
      const preferences = await dataOf(api.GET('/api/preferences', { signal }), signal)
      theme.value = preferences.theme
      language.value = preferences.language
      notifications.checked = preferences.notifications
      follow(preferences)
      by('preferences').hidden = false
    }
  }
}
