// Room `schemas`: what people type to make an account or to change it.
import { Type } from '@sinclair/typebox'

export const Email = Type.String({ minLength: 3, maxLength: 320, examples: ['ada@example.com'] })
export const Username = Type.String({ pattern: '^[A-Za-z0-9._-]{3,32}$', description: '3 to 32 of A-Z a-z 0-9 . _ -', examples: ['ada'] })
export const NewPassword = Type.String({ maxLength: 4096, description: 'Up to 72 bytes in UTF-8.', examples: ['correct horse battery'] })
export const FullName = Type.String({ minLength: 1, maxLength: 200, examples: ['Ada Lovelace'] })
