// What a host's TypeScript learns from importing the package: the two guards on its instance, what it may do by its own code,
// and `request.user`.
/// <reference types="@fastify/jwt" preserve="true" />
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Part } from './config/parts.ts'
import type { PublicUser } from './schemas/shapes.ts'
import type { HostAccounts } from './token/host-accounts.ts'

/** A hook for `onRequest` or any later phase. */
export type Authenticate = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void

/** `app.latchkey`. */
export interface Latchkey extends HostAccounts {
  /** What is mounted. */
  readonly parts: readonly Part[]
}

/**
 * For a host whose requests have a `user` of its own (option `names`), and whose types say so to @fastify/jwt:
 * `declare module 'latchkey' { interface HostTypes { user: MyUser } }`
 */
export interface HostTypes {}

/** The account behind the request, frozen; set by `authenticate`. */
export type RequestUser = HostTypes extends { user: infer User } ? User : Readonly<PublicUser>

declare module 'fastify' {
  interface FastifyInstance {
    /** Hook: lets a request pass with a live session only and sets `request.user`. */
    authenticate: Authenticate
    /** Makes a hook that lets a request pass with that role only; put it behind `authenticate`. */
    requireRole: (role: PublicUser['role']) => Authenticate
    latchkey: Latchkey
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    user: RequestUser
  }
}
