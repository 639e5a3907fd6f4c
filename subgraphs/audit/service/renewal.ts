import type { Clock } from '../../../lib/clock.ts';
import type { Log } from '../../../lib/log.ts';
import type { AuditService } from './index.ts';
import type { MerkleLog } from './merkle-log.ts';

/**
 * Where the log may not be gone on with, because its database was put back from an older backup and the newer one is lost: goes on
 * under another name and key, which nobody has a checkpoint of, and writes that down as the next entry.
 */
export async function renewIfRefused(log: MerkleLog, service: AuditService, clock: Clock, notes: Log): Promise<void> {
  const refusal = await log.refusal();
  const renewed = refusal && (await log.renew());
  if (!renewed) return;
  const id = clock.uuid();
  await service.append([
    {
      id,
      occurredAtMs: clock.nowMs(),
      actor: { id: 'system:audit', kind: 'SYSTEM', name: 'audit' },
      action: 'audit.log.renewed',
      outcome: 'SUCCEEDED',
      isDryRun: false,
      reason: refusal.message,
      targetType: 'AuditLog',
      targetId: renewed.to,
      before: { origin: renewed.from },
      after: { origin: renewed.to },
      requestId: id,
      traceId: null,
      clientIp: null,
      causedBy: null,
    },
  ]);
  notes.warn('audit.log.renewed', renewed);
}
