import type { ActorKind } from '../call/principal.ts';

/** An audit entry as the house where it happened writes it down; times in epoch milliseconds, ids of nodes global. */
export interface EntryDraft {
  /** uuid version 7: the entry's identity, so that delivering it twice is harmless. */
  id: string;
  occurredAtMs: number;
  actor: { id: string; kind: ActorKind; name: string };
  /** The mutation's name, or a dotted name for what the system does. */
  action: string;
  outcome: 'SUCCEEDED' | 'FAILED' | 'DENIED';
  /** Whether it was asked what would be: nothing was changed, whatever the outcome. */
  isDryRun: boolean;
  reason: string | null;
  targetType: string;
  targetId: string;
  /** Secrets are left out by whoever writes the draft. */
  before: unknown;
  after: unknown;
  requestId: string;
  traceId: string | null;
  clientIp: string | null;
  /** uuid of the entry that caused this one. */
  causedBy: string | null;
}
