// Doors: pictures of accounts, for whoever has the address. A browser that is led here shows a picture and nothing else.
import { LatchkeyError } from '../../src/errors.ts'
import type { Doors } from '../doors.ts'
import { getAvatarSchema } from './avatar.schema.ts'

/** Milliseconds that a client may take nothing of its picture; Node would hold it for ever. */
const stalledMs = 10_000

export default async function avatar (scope: Doors): Promise<void> {
  scope.get('/api/avatars/:id', { schema: getAvatarSchema }, async (request, reply) => {
    const picture = await scope.avatars.find(request.params.id)
    if (picture === null) throw new LatchkeyError('not_found')
    reply.raw.setTimeout(stalledMs, () => { reply.raw.destroy() })
    return await reply.headers({
      'content-type': picture.type,
      'cache-control': picture.isCurrent ? 'public, max-age=31536000, immutable' : 'no-cache',
      'content-security-policy': "default-src 'none'; sandbox"
    }).send(picture.bytes)
  })
}
