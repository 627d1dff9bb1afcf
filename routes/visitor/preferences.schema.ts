// What the doors of preferences read and send.
import { Type } from '@sinclair/typebox'
import { oneOf } from '../../src/schemas/one-of.ts'
import { problems } from '../../src/schemas/problem.ts'
import { closed, Preferences, ref } from '../../src/schemas/shapes.ts'
import { security as anyAccessToken } from '../private/account.schema.ts'

const security = [{}, { preferencesCookie: [] }, ...anyAccessToken]

export const getPreferencesSchema = {
  operationId: 'getPreferences',
  tags: ['preferences'],
  summary: 'Preferences of the visitor',
  description: 'A user\'s from the account, a guest\'s from a signed cookie; what was never chosen has its default. Also at `/preferences`.',
  security,
  response: { 200: ref(Preferences, 'All preferences.'), ...problems({ safe: true, visitor: true }) }
}

export const setPreferencesSchema = {
  operationId: 'setPreferences',
  tags: ['preferences'],
  summary: 'Change preferences',
  description: 'Changes what is given and leaves the rest alone. What a guest chose fills, at register and login, what the user never chose. Also at `/preferences`.',
  security,
  body: closed({
    theme: Type.Optional(oneOf(['light', 'dark', 'system'], { description: 'Colours; `system` follows the device.' })),
    notifications: Type.Optional(Type.Boolean({ description: 'Whether notifications are wanted.' })),
    language: Type.Optional(Type.String({ minLength: 2, maxLength: 64, description: 'BCP 47 language tag; answered in its canonical spelling.', examples: ['pt-BR'] }))
  }, { examples: [{ theme: 'dark', language: 'pt-BR' }] }),
  response: { 200: ref(Preferences, 'All preferences, as they are stored now.'), ...problems({ visitor: true }) }
}
