/** Entries as events of the Open Cybersecurity Schema Framework 1.6, class API Activity (6003), as security tools take them. */

interface Leaf {
  action: string;
  actor: { id: string; kind: string; name: string };
  after: unknown;
  before: unknown;
  causedBy: string | null;
  clientIp: string | null;
  id: string;
  /** Not there in leaves of version 1. */
  isDryRun?: boolean;
  occurredAt: string;
  outcome: 'SUCCEEDED' | 'FAILED' | 'DENIED';
  reason: string | null;
  requestId: string;
  targetId: string;
  targetType: string;
  traceId: string | null;
}

export interface ExportedEntry {
  index: number;
  hash: string;
  leaf: Leaf;
}

const CLASS_UID = 6_003;
const PRODUCT = { name: 'Fleetgraph', vendor_name: 'Fleetgraph' };
const ACTIVITIES: Readonly<Record<number, string>> = { 1: 'Create', 2: 'Read', 3: 'Update', 4: 'Delete' };
/** Informational, low, medium. */
const SEVERITY = { SUCCEEDED: 1, FAILED: 2, DENIED: 3 } as const;
const USER_TYPES: Readonly<Record<string, { type_id: number; type: string }>> = {
  PERSON: { type_id: 1, type: 'User' },
  SYSTEM: { type_id: 3, type: 'System' },
};

/** One entry as an event; what has no place in the class stands under `unmapped`. */
export function ocsfOf({ index, hash, leaf }: ExportedEntry): object {
  const activity = activityOf(leaf);
  const { actor, outcome } = leaf;
  return {
    activity_id: activity,
    activity_name: ACTIVITIES[activity] ?? leaf.action,
    category_uid: 6,
    category_name: 'Application Activity',
    class_uid: CLASS_UID,
    class_name: 'API Activity',
    type_uid: CLASS_UID * 100 + activity,
    time: Date.parse(leaf.occurredAt),
    severity_id: SEVERITY[outcome],
    status_id: outcome === 'SUCCEEDED' ? 1 : 2,
    status: outcome === 'SUCCEEDED' ? 'Success' : 'Failure',
    ...(leaf.reason === null ? {} : { status_detail: leaf.reason }),
    actor: {
      user: { uid: actor.id, name: actor.name, ...(USER_TYPES[actor.kind] ?? { type_id: 99, type: actor.kind }) },
    },
    api: { operation: leaf.action, service: { name: PRODUCT.name }, request: { uid: leaf.requestId } },
    src_endpoint: leaf.clientIp === null ? { name: actor.name } : { ip: leaf.clientIp },
    resources: [{ type: leaf.targetType, uid: leaf.targetId }],
    metadata: {
      version: '1.6.0',
      product: PRODUCT,
      log_name: 'audit',
      uid: leaf.id,
      sequence: index,
      ...(leaf.traceId === null ? {} : { correlation_uid: leaf.traceId }),
    },
    unmapped: {
      outcome,
      isDryRun: leaf.isDryRun ?? false,
      before: leaf.before,
      after: leaf.after,
      causedBy: leaf.causedBy,
      leafHash: hash,
    },
  };
}

/** What was done, by what there was before and after; 99 is anything else. */
function activityOf({ action, before, after }: Leaf): number {
  if (action === 'audit.read') return 2;
  if (before === null && after === null) return 99;
  if (before === null) return 1;
  return after === null ? 4 : 3;
}
