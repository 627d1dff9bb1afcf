// What a host's TypeScript learns from importing the package: the two guards on its instance and `request.user`.
/// <reference types="@fastify/jwt" preserve="true" />
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { PublicUser } from './schemas/shapes.ts'

/** A hook for `onRequest` or any later phase. */
export type Authenticate = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void

declare module 'fastify' {
  interface FastifyInstance {
    /** Hook: lets a request pass with a live session only and sets `request.user`. */
    authenticate: Authenticate
    /** Makes a hook that lets a request pass with that role only; put it behind `authenticate`. */
    requireRole: (role: PublicUser['role']) => Authenticate
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    /** The account behind the request, frozen; set by `authenticate`. */
    user: Readonly<PublicUser>
  }
}
