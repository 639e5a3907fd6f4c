import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { loadAccessTable } from '../../lib/access.ts';
import { uuidV7 } from '../../lib/clock.ts';
import { ENTRIES_ROUTE } from '../../lib/write/relay.ts';
import type { EntryDraft } from '../../lib/write/entry.ts';
import { auditSubgraph, entities } from '../../subgraphs/audit/index.ts';
import { callOf, startTestHouse, type TestHouse, type TestHouseOptions } from '../support/house.ts';

const ACCESS = loadAccessTable(path.resolve(__dirname, '../..'));

/** An audit house on an empty database. */
export function startAudit(options: Partial<TestHouseOptions> = {}): Promise<TestHouse> {
  // Another house's node is readable here whether or not that house has its rows already.
  const access = { Agent: ['viewer'], Alert: ['viewer'], AlertRule: ['viewer'], LogEntry: ['viewer'], ...ACCESS };
  return startTestHouse({ name: 'audit', entities, make: auditSubgraph, access, ...options });
}

export const freshUuid = () => uuidV7(Date.now(), randomBytes(10));

/** A draft as a house's write unit makes it. */
export function draft(part: Partial<EntryDraft> = {}): EntryDraft {
  return {
    id: freshUuid(),
    occurredAtMs: Date.now(),
    actor: { id: 'admin', kind: 'SCRIPT', name: 'admin' },
    action: 'registerAgent',
    outcome: 'SUCCEEDED',
    reason: null,
    targetType: 'Agent',
    targetId: 'somebody',
    before: null,
    after: null,
    requestId: 'request 1',
    traceId: null,
    clientIp: '127.0.0.1',
    causedBy: null,
    ...part,
  };
}

/** Delivers entries as a relay does. */
export async function deliver(house: TestHouse, entries: readonly unknown[]): Promise<{ status: number; body: string }> {
  const answer = await house.client.send(ENTRIES_ROUTE, { call: callOf(), body: JSON.stringify({ entries }) });
  return { status: answer.status, body: answer.body.toString() };
}
