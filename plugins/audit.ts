// Socket: the stream of security events, beside the other lines of the log and marked as their own.
import type { FastifyBaseLogger } from 'fastify'
import fp from 'fastify-plugin'
import type { ScopeOptions } from '../src/scope-options.ts'
import { auditEvents, createAudit, type Audit, type AuditEvent } from '../src/token/audit.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Writes an event to the audit stream. */
    audit: Audit
  }
}

export default fp<ScopeOptions>(async function audit (scope, { clock }) {
  const { meter } = scope
  const log = auditLogOf(scope.log)
  const onEvent = (event: AuditEvent) => { meter.add('latchkey_audit_events_total', { event }) }
  for (const event of auditEvents) meter.add('latchkey_audit_events_total', { event }, 0)
  scope.decorate('audit', createAudit({ clock, onEvent, write: (line) => { log.info(line, 'security event') } }))
}, { name: 'latchkey-audit', dependencies: ['latchkey-meter'] })

/** A stream of its own that no level silences but `silent`. A host's logger may know no levels: then it is as the host has it. */
function auditLogOf (log: FastifyBaseLogger): FastifyBaseLogger {
  const level = log.level === 'silent' ? 'silent' : 'info'
  return log.child({ stream: 'audit' }, { level })
}
