// What the doors read and send that change the signed-in account.
import { Type } from '@sinclair/typebox'
import { Email, FullName, NewPassword, Username } from '../../src/schemas/account-shapes.ts'
import { problems } from '../../src/schemas/problem.ts'
import { closed, PasswordAnswer, Profile, ref } from '../../src/schemas/shapes.ts'
import { security } from './account.schema.ts'

const currentPassword = Type.String({ maxLength: 4096, description: 'The password of the account as it is. Guesses are limited like those at login.', examples: ['correct horse battery'] })

export const changeProfileSchema = {
  operationId: 'changeProfile',
  tags: ['account'],
  summary: 'Change the signed-in account',
  description: 'Changes what is given and leaves the rest alone. Another e-mail address or username needs `currentPassword`. Whoever asks afterwards gets the new profile, on every instance. Also at `/profile`.',
  security,
  body: closed({
    fullName: Type.Optional(Type.Union([FullName, Type.Null()], { description: '`null` takes the name away.' })),
    username: Type.Optional(Username),
    email: Type.Optional(Email),
    currentPassword: Type.Optional(currentPassword)
  }, { examples: [{ fullName: 'Ada King', email: 'ada@example.org', currentPassword: 'correct horse battery' }] }),
  response: {
    200: ref(Profile, 'The account as it is now.'),
    ...problems({ guarded: true, codes: ['current_password_invalid', 'email_taken', 'username_taken'] })
  }
}

export const changePasswordSchema = {
  operationId: 'changePassword',
  tags: ['account'],
  summary: 'Change the password',
  description: 'Ends every session of the user. The device that asks gets a new one: its tokens come as the access token came, in the body or as cookies.',
  security,
  body: closed({ currentPassword, newPassword: NewPassword }, { examples: [{ currentPassword: 'correct horse battery', newPassword: 'staple wrong pony engine' }] }),
  response: {
    200: ref(PasswordAnswer, 'The password is another, and this is the only session.'),
    ...problems({ guarded: true, codes: ['password_too_short', 'password_too_long', 'password_common', 'current_password_invalid'] })
  }
}
