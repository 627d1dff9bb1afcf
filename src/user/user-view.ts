// Room `user`: what an account shows of itself: the service's own fields, and those that a host adds. A host's function is asked
// when MongoDB was read; copies carry what it said, and it is as old as they are. What it says is taken as JSON, so that it is
// the same from MongoDB and from a copy, and held to its schema, because answers and the document promise that.
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { LatchkeyError } from '../errors.ts'
import { withHostFields, type HostFields, type HostFieldsShape } from '../schemas/host-fields.ts'
import { closed, Preferences, Profile, PublicUser } from '../schemas/shapes.ts'
import { profileOf, publicUser, type UserRecord } from './user-record.ts'

/** An account as a host's function gets it. */
export interface HostAccount extends Readonly<Omit<PublicUser, keyof HostFields>> {
  readonly createdAt: Date
  readonly updatedAt: Date
  /** What the host keeps with the account; empty if it has kept nothing. */
  readonly hostData: Readonly<Record<string, unknown>>
}

/** Answers at once, from what it gets: the fields that the account shows beside the service's own. */
export type PublicUserOf = (account: HostAccount) => HostFields

export interface HostView { readonly fieldsOf: PublicUserOf, readonly shape: HostFieldsShape }

export interface UserView {
  /** The public part, frozen: requests share it. @throws LatchkeyError `internal_error` if the host's function fails */
  publicUser: (user: UserRecord) => Readonly<PublicUser>
  /** The account as its owner sees it. @throws as `publicUser` */
  profileOf: (user: UserRecord) => Readonly<Profile>
  /** Whether a text out of a copy, parsed, is a public user as this service would show one. */
  isPublicUser: (value: unknown) => value is PublicUser
  isProfile: (value: unknown) => value is Profile
}

/** Bytes that a host's fields may take as JSON: each session in memory and in Redis has them. */
export const mostFieldBytes = 1024

const publicUserCheck = TypeCompiler.Compile(PublicUser)
const profileCheck = TypeCompiler.Compile(Profile, [Preferences])

/** The service's own fields alone. */
export const plainView: UserView = Object.freeze({
  publicUser,
  profileOf,
  isPublicUser: (value: unknown): value is PublicUser => publicUserCheck.Check(value),
  isProfile: (value: unknown): value is Profile => profileCheck.Check(value)
})

/** @throws whatever Ajv says of a schema that it cannot read */
export function createUserView (host: HostView | undefined): UserView {
  if (host === undefined) return plainView
  const { fieldsOf, shape } = host
  const ajv = new Ajv({ strict: false, allErrors: false })
  addFormats.default(ajv)
  ajv.addSchema(Preferences)
  const areFields = ajv.compile(closed({ ...shape.properties }, { required: [...shape.required] }))

  function hostFields (user: UserRecord): HostFields {
    const { createdAt, updatedAt, hostData = {} } = user
    const answer: unknown = fieldsOf(Object.freeze({ ...publicUser(user), createdAt, updatedAt, hostData }))
    if (typeof (answer as PromiseLike<unknown> | undefined)?.then === 'function') throw new Error('publicUser has to answer at once, and gave a promise')
    const text = JSON.stringify(answer) as string | undefined
    if (text === undefined || Buffer.byteLength(text) > mostFieldBytes) throw new Error(`publicUser has to give an object of at most ${mostFieldBytes} bytes as JSON`)
    const fields: unknown = JSON.parse(text)
    const [wrong] = areFields(fields) ? [] : areFields.errors ?? []
    if (wrong !== undefined) throw new Error(`publicUser gave what publicUserSchema does not describe: ${wrong.instancePath || '/'} ${wrong.message ?? ''}`)
    return fields as HostFields
  }

  function shown<T extends object> (user: UserRecord, own: T): Readonly<T & HostFields> {
    try {
      return deepFrozen({ ...own, ...hostFields(user) })
    } catch (cause) {
      throw new LatchkeyError('internal_error', { cause })
    }
  }

  return {
    publicUser: (user) => shown(user, publicUser(user)),
    profileOf: (user) => shown(user, profileOf(user)),
    isPublicUser: ajv.compile<PublicUser>(withHostFields(PublicUser, shape)),
    isProfile: ajv.compile<Profile>(withHostFields(Profile, shape))
  }
}

export function deepFrozen<T extends object> (value: T): Readonly<T> {
  for (const member of Object.values(value)) if (typeof member === 'object' && member !== null) deepFrozen(member)
  return Object.freeze(value)
}
