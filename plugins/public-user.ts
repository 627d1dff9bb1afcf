// Socket: what an account shows of itself, with the fields that a host adds; and the shapes of it, for answers and the document.
import type { TObject } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import { withHostFields } from '../src/schemas/host-fields.ts'
import { Profile, PublicUser } from '../src/schemas/shapes.ts'
import type { ScopeOptions } from '../src/scope-options.ts'
import { createUserView, type UserView } from '../src/user/user-view.ts'

declare module 'fastify' {
  interface FastifyInstance {
    userView: UserView
    userShapes: { readonly user: TObject, readonly profile: TObject }
  }
}

export default fp<ScopeOptions>(async function publicUser (scope, { hostView }) {
  const shapeOf = (shape: TObject): TObject => hostView === undefined ? shape : withHostFields(shape, hostView.shape)
  scope.decorate('userView', createUserView(hostView))
  scope.decorate('userShapes', { user: shapeOf(PublicUser), profile: shapeOf(Profile) })
}, { name: 'latchkey-public-user' })
