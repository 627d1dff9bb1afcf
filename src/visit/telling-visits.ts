// Room `visit`: tells of visits that begin and of what is noted in them, by whatever way.
import type { GuestVisits } from './guest-visits.ts'
import type { MemberVisits } from './member-visits.ts'
import type { RunningVisits } from './running-visits.ts'
import type { EntryKind } from './visit-rules.ts'

export type Visitor = 'guest' | 'user'

export interface VisitListener {
  onBegin: (visitor: Visitor) => void
  onEntry: (visitor: Visitor, kind: EntryKind) => void
}

export function tellingGuestVisits (guests: GuestVisits, { onBegin, onEntry }: VisitListener): GuestVisits {
  return {
    ...guests,
    async begin (visitId, address) {
      await guests.begin(visitId, address)
      onBegin('guest')
    },
    async note (visitor, input, address) {
      const noted = await guests.note(visitor, input, address)
      if (noted.begun !== null) onBegin('guest')
      onEntry('guest', input.kind)
      return noted
    }
  }
}

export function tellingMemberVisits (members: MemberVisits, { onEntry }: VisitListener): MemberVisits {
  return {
    ...members,
    async note (member, input) {
      const noted = await members.note(member, input)
      onEntry('user', input.kind)
      return noted
    }
  }
}

/** Users' visits begin in here, whatever door was called. */
export function tellingRunningVisits (known: RunningVisits, { onBegin }: VisitListener): RunningVisits {
  return {
    ...known,
    async findOrBegin (member) {
      const found = await known.findOrBegin(member)
      if (found.isNew) onBegin('user')
      return found
    }
  }
}
