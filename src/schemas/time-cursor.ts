// Room `schemas`: a place in a list by time. The text is made of what the last item of a page shows anyway, so a cursor
// needs no state, and what comes into the list meanwhile moves nothing.
import { LatchkeyError } from '../errors.ts'

/** The item after which a list goes on, newest first. */
export interface TimeCursor { readonly time: Date, readonly id: string }

export const timeCursor = ({ time, id }: TimeCursor): string => Buffer.from(`${time.getTime()}:${id}`).toString('base64url')

/** @throws LatchkeyError `validation_failed` for a text that is no cursor of ours */
export function parseTimeCursor (cursor: string | undefined): TimeCursor | undefined {
  if (cursor === undefined) return undefined
  const [, time, id] = /^([0-9]{1,15}):([A-Za-z0-9_-]{22}(?:[A-Za-z0-9_-]{21})?)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (time === undefined || id === undefined) throw badCursor()
  return { time: new Date(Number(time)), id }
}

export const badCursor = (): LatchkeyError =>
  new LatchkeyError('validation_failed', { errors: [{ path: '/querystring/cursor', message: 'must be a nextCursor of this list' }] })
