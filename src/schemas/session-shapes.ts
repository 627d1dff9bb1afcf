// Room `schemas`: a user's sessions as a list of devices.
import { Type, type Static } from '@sinclair/typebox'
import { nextCursor } from './list-shapes.ts'
import { closed, instant, orNull, SessionSummary } from './shapes.ts'

const exampleSession = {
  id: '5cJq0W8mR2yXv7TnB4kD1g',
  current: true,
  createdAt: '2026-11-21T09:30:00.000Z',
  lastSeenAt: '2026-11-21T09:45:00.000Z',
  expiresAt: '2026-11-28T09:30:00.000Z',
  ip: '203.0.113.7',
  userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
  device: { type: 'desktop', os: 'Windows', browser: 'Firefox' }
}

export const SessionList = closed({
  items: Type.Array(closed({
    id: SessionSummary.properties.id,
    current: Type.Boolean({ description: 'Whether it is the session that asks.' }),
    createdAt: SessionSummary.properties.createdAt,
    lastSeenAt: instant('When a request last came with it, to the minute.'),
    expiresAt: SessionSummary.properties.expiresAt,
    ip: Type.String({ description: 'Address that signed in.' }),
    userAgent: Type.String(),
    device: closed({
      type: Type.String({ description: '`desktop`, `mobile`, `tablet`, `unknown` ...' }),
      os: orNull(Type.String()),
      browser: orNull(Type.String())
    }, { description: 'What the User-Agent says; nothing is decided by it.' })
  })),
  nextCursor
}, { $id: 'LatchkeySessionList', description: 'Live sessions of the user, newest first: one for each device.', examples: [{ items: [exampleSession], nextCursor: null }] })
export type SessionList = Static<typeof SessionList>
