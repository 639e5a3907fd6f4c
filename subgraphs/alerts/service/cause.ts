import { isoDuration } from '../../../lib/graphql/scalars.ts';
import { readNodeId } from '../../../lib/node-id.ts';
import { CAUSE_MS } from '../../../lib/write/cause.ts';
import type { Houses } from './sources.ts';

const NEWEST = `query CauseForAlerts($filter: AuditFilter) { auditEntries(first: 1, filter: $filter) { nodes { id } } }`;
/** An alert does not wait longer for its cause. */
const PATIENCE_MS = 500;

/** What happened last to an agent, as the trail tells it; undefined when it tells nothing now. */
export async function causeOf(houses: Houses, agentId: string): Promise<string | undefined> {
  const range = { last: isoDuration(CAUSE_MS) };
  const filter = { targetIds: [agentId], outcomes: ['SUCCEEDED'], query: 'dryRun:false', range };
  try {
    const { auditEntries } = await houses.ask<{ auditEntries: { nodes: { id: string }[] } | null }>(
      'audit',
      NEWEST,
      { filter },
      PATIENCE_MS,
    );
    const [newest] = auditEntries?.nodes ?? [];
    return newest && readNodeId(newest.id)?.uuid;
  } catch {
    // An alert is more urgent than its cause.
    return undefined;
  }
}
