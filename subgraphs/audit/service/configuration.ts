import { z } from 'zod';
import type { Clock } from '../../../lib/clock.ts';
import { FleetError } from '../../../lib/errors.ts';
import { canonicalJson } from '../../../lib/write/canonical.ts';
import type { ConfigurationReport } from '../../../lib/write/configuration.ts';
import { redact } from '../../../lib/write/redaction.ts';
import type { AuditEntry } from '../entity/index.ts';
import { CONFIGURATION_TYPES, type EntryStore, type NewEntry } from '../store/index.ts';
import { contentOf, entryOfDraft } from './leaf.ts';

const MAX_PARTS = 500;
const Report = z.object({
  process: z.string().min(1).max(100),
  parts: z
    .array(z.object({ targetType: z.enum(CONFIGURATION_TYPES), targetId: z.string().min(1).max(256), value: z.json() }))
    .max(MAX_PARTS),
});

/** Reads what a process says that it runs with. @throws BAD_INPUT */
export function readReport(body: Buffer): ConfigurationReport {
  let json: unknown;
  try {
    json = JSON.parse(body.toString());
  } catch {
    throw new FleetError('BAD_INPUT', 'a report of the configuration is JSON');
  }
  const read = Report.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new FleetError('BAD_INPUT', `${issue?.path.join('.')}: ${issue?.message}`);
}

/**
 * What was changed beside the graph, also while nothing ran: each part of the configuration is compared with what the trail said of
 * it last, and where they differ, an entry says so. The trail itself is the memory, so that a change and its entry cannot part.
 */
export class ConfigurationTrail {
  constructor(
    private readonly entries: EntryStore,
    private readonly clock: Clock,
    private readonly redactionKey: Buffer,
  ) {}

  /** @returns how many parts had changed; durable when it resolves */
  async compare({ process, parts }: ConfigurationReport): Promise<number> {
    const types = parts.map(({ targetType }) => targetType);
    const ids = parts.map(({ targetId }) => targetId);
    const written = await this.entries.insertInView(types, ids, (newest) => {
      const known = new Map(newest.map((entry) => [nameOf(entry), entry]));
      return parts.flatMap((part) => {
        const before = contentOf(known.get(nameOf(part))?.leaf ?? null).after;
        const after = redact(part.value, this.redactionKey);
        return canonicalJson(before) === canonicalJson(after) ? [] : [this.#entryOf(process, part, before, after)];
      });
    });
    return written.length;
  }

  #entryOf(process: string, part: ConfigurationReport['parts'][number], before: unknown, after: unknown): NewEntry {
    const id = this.clock.uuid();
    const draft = {
      id,
      occurredAtMs: this.clock.nowMs(),
      actor: { id: `system:${process}`, kind: 'SYSTEM' as const, name: process },
      action: 'configuration.changed',
      outcome: 'SUCCEEDED' as const,
      isDryRun: false,
      reason: before === null ? 'first seen' : 'found at a start, changed outside of the graph',
      targetType: part.targetType,
      targetId: part.targetId,
      before,
      after,
      requestId: id,
      traceId: null,
      clientIp: null,
      causedBy: null,
    };
    return entryOfDraft(draft, this.redactionKey);
  }
}

function nameOf({ targetType, targetId }: Pick<AuditEntry, 'targetType' | 'targetId'>): string {
  return JSON.stringify([targetType, targetId]);
}
