// What the doors of the own picture read and send.
import { Type } from '@sinclair/typebox'
import { problems } from '../../src/schemas/problem.ts'
import { closed, Profile, ref } from '../../src/schemas/shapes.ts'
import { security } from './account.schema.ts'

export const uploadAvatarSchema = {
  operationId: 'uploadAvatar',
  tags: ['account'],
  summary: 'Upload a picture of the account',
  description: 'A PNG, JPEG or WebP of at most 2 MiB and 4096 pixels a side, judged by its content. It is cut to a square of at most 512 pixels and made anew in the same format: the first frame, upright, without metadata. It replaces the picture before it.',
  security,
  consumes: ['multipart/form-data'],
  body: closed({ avatar: Type.String({ format: 'binary', description: 'The file: one, and the only part of the body. Its name and type are not looked at.' }) }, { examples: [{ avatar: '(the bytes of the file)' }] }),
  response: {
    201: ref(Profile, 'The account with its new picture; `Location` is where it is.'),
    ...problems({ guarded: true })
  }
}

export const deleteAvatarSchema = {
  operationId: 'deleteAvatar',
  tags: ['account'],
  summary: 'Delete the picture of the account',
  description: '`avatarUrl` is null from then on, and the address of the picture leads nowhere. An account without a picture is answered alike.',
  security,
  response: {
    204: Type.Null({ description: 'There is none any more.' }),
    ...problems({ guarded: true })
  }
}
