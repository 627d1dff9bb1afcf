// Room `schemas`: the shapes that more than one door speaks. Types come from `Static`; examples are what a newcomer sees
// in the docs, so they are whole and lawful.
import { FormatRegistry, Type, type Static, type TSchema } from '@sinclair/typebox'
import type { HostFields } from './host-fields.ts'
import { oneOf } from './one-of.ts'

/** A closed object: unknown keys are refused in requests and dropped from replies. */
export const closed = <P extends Record<string, TSchema>>(properties: P, options: Record<string, unknown> = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options })

/** A schema by its `$id`, typed as what it describes; the document then names it once. */
export const ref = <T extends TSchema>(schema: T, description?: string) =>
  Type.Unsafe<Static<T>>({ ...Type.Ref(schema.$id as string), ...(description !== undefined && { description }) })

export const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

// TypeBox's own checks know no format, and refuse what has one
FormatRegistry.Set('date-time', (text) => !Number.isNaN(Date.parse(text)))

export const instant = (description: string) => Type.String({ format: 'date-time', description, examples: ['2026-11-21T09:30:00.000Z'] })

export const exampleUser = {
  id: 'qk1Jd0yW3mZQ8n5r2vT6aA',
  _id: 'qk1Jd0yW3mZQ8n5r2vT6aA',
  username: 'ada',
  email: 'ada@example.com',
  fullName: 'Ada Lovelace',
  role: 'user',
  avatarUrl: null
}

const userFields = {
  id: Type.String({ description: 'Id of the account.' }),
  _id: Type.String({ description: 'The same id, for clients of older services.' }),
  username: Type.String(),
  email: Type.String(),
  fullName: orNull(Type.String()),
  role: oneOf(['user', 'admin']),
  avatarUrl: orNull(Type.String({ description: 'Path of the picture, below the address of the service.' }))
}

export const PublicUser = closed(userFields, { $id: 'LatchkeyPublicUser', description: 'What an account shows of itself.', examples: [exampleUser] })
export type PublicUser = Static<typeof PublicUser> & HostFields

export const Preferences = closed({
  theme: oneOf(['light', 'dark', 'system']),
  notifications: Type.Boolean(),
  language: Type.String({ description: 'BCP 47 language tag.', examples: ['en'] })
}, { $id: 'LatchkeyPreferences', description: 'How a visitor wants things.', examples: [{ theme: 'system', notifications: true, language: 'en' }] })
export type Preferences = Static<typeof Preferences>

export const Profile = closed({
  ...userFields,
  preferences: ref(Preferences),
  createdAt: instant('When the account was made.'),
  updatedAt: instant('When the account was last changed.')
}, {
  $id: 'LatchkeyProfile',
  description: 'The account as its owner sees it.',
  examples: [{ ...exampleUser, preferences: { theme: 'system', notifications: true, language: 'en' }, createdAt: '2026-11-21T09:30:00.000Z', updatedAt: '2026-11-21T09:30:00.000Z' }]
})
export type Profile = Static<typeof Profile> & HostFields

const exampleSession = {
  id: '5cJq0W8mR2yXv7TnB4kD1g',
  createdAt: '2026-11-21T09:30:00.000Z',
  expiresAt: '2026-11-28T09:30:00.000Z',
  absoluteExpiresAt: '2026-12-21T09:30:00.000Z'
}

export const SessionSummary = closed({
  id: Type.String({ description: 'Id of the session: one login on one device.' }),
  createdAt: instant('When the login happened.'),
  expiresAt: instant('When it ends if it is not refreshed.'),
  absoluteExpiresAt: instant('When it ends in any case.')
}, { $id: 'LatchkeySessionSummary', description: 'One login on one device.', examples: [exampleSession] })
export type SessionSummary = Static<typeof SessionSummary>

const exampleAccessToken = 'eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsxIn0.eyJzdWIiOiJxazFKZDB5VzNtWlE4bjVyMnZUNmFBIn0.c2lnbmF0dXJl'

const exampleTokens = {
  message: 'Login successful',
  accessToken: exampleAccessToken,
  token: exampleAccessToken,
  refreshToken: 'rt1.5cJq0W8mR2yXv7TnB4kD1g.0.bWFj',
  tokenType: 'Bearer',
  expiresIn: 900,
  refreshExpiresIn: 604_800,
  user: exampleUser,
  session: exampleSession
}

const tokenAnswer = {
  message: Type.String(),
  accessToken: Type.Optional(Type.String({ description: 'Send it as `Authorization: Bearer`. Absent with cookie transport.' })),
  token: Type.Optional(Type.String({ description: 'The same as accessToken, for clients of older services.' })),
  refreshToken: Type.Optional(Type.String({ description: 'Gives the next pair, once. Absent with cookie transport and when an access token renewed itself.' })),
  tokenType: oneOf(['Bearer']),
  expiresIn: Type.Integer({ description: 'Seconds until the access token runs out.' }),
  refreshExpiresIn: Type.Integer({ description: 'Seconds until the session ends if it is not refreshed.' }),
  user: ref(PublicUser),
  session: ref(SessionSummary)
}

export const TokenAnswer = closed(tokenAnswer, { $id: 'LatchkeyTokenAnswer', description: 'A signed-in session and its tokens.', examples: [exampleTokens] })
export type TokenAnswer = Static<typeof TokenAnswer>

export const RevokedAnswer = closed({
  message: Type.String(),
  revoked: Type.Integer({ minimum: 0, description: 'Sessions that this call ended.' })
}, { $id: 'LatchkeyRevokedAnswer', description: 'How many sessions are over.', examples: [{ message: 'Logout successful', revoked: 1 }] })
export type RevokedAnswer = Static<typeof RevokedAnswer>

export const PasswordAnswer = closed({ ...tokenAnswer, revoked: RevokedAnswer.properties.revoked }, {
  $id: 'LatchkeyPasswordAnswer',
  description: 'The new session of the device that changed the password.',
  examples: [{ ...exampleTokens, message: 'Password changed', revoked: 2 }]
})
