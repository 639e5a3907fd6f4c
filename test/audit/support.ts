import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadAccessTable } from '../../lib/access.ts';
import type { Call } from '../../lib/call/signing.ts';
import { uuidV7 } from '../../lib/clock.ts';
import type { EntryDraft } from '../../lib/write/entry.ts';
import { ENTRIES_ROUTE } from '../../lib/write/relay.ts';
import { auditSubgraph, entities } from '../../subgraphs/audit/index.ts';
import { type Answer, callOf, startTestHouse, type TestHouse, type TestHouseOptions } from '../support/house.ts';
import { until } from '../support/until.ts';

const ACCESS = loadAccessTable(path.resolve(__dirname, '../..'));

/** The data folder of this file's houses: what was given out is witnessed there, for each log by itself. */
export const DATA = mkdtempSync(path.join(tmpdir(), 'fleetgraph-audit-'));
process.on('exit', () => rmSync(DATA, { recursive: true, force: true }));

/** An audit house on an empty database. */
export function startAudit(options: Partial<TestHouseOptions> = {}): Promise<TestHouse> {
  // Another house's node is readable here whether or not that house has its rows already.
  const access = { Agent: ['viewer'], Alert: ['viewer'], AlertRule: ['viewer'], LogEntry: ['viewer'], ...ACCESS };
  const settings = { FLEET_DATA: DATA, ...options.settings };
  return startTestHouse({ name: 'audit', entities, make: auditSubgraph, access, ...options, settings });
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
    isDryRun: false,
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
export async function deliver(
  house: TestHouse,
  entries: readonly unknown[],
): Promise<{ status: number; body: string }> {
  const answer = await house.client.send(ENTRIES_ROUTE, { call: callOf(), body: JSON.stringify({ entries }) });
  return { status: answer.status, body: answer.body.toString() };
}

export interface StreamPayload {
  id: string;
  next: Answer;
}

/** A subscription of the house by server-sent events, read one payload at a time. */
export async function openStream(house: TestHouse, query: string, variables: object = {}, call: Partial<Call> = {}) {
  const response = await house.client.open('POST /graphql', {
    call: callOf(call),
    body: JSON.stringify({ query, variables }),
    headers: { accept: 'text/event-stream' },
  });
  async function* payloads(): AsyncGenerator<StreamPayload> {
    let text = '';
    for await (const chunk of response) {
      text += String(chunk);
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        const [, id = ''] = /^id: (.*)$/m.exec(event) ?? [];
        const [, data] = /^data: (.+)$/m.exec(event) ?? [];
        if (data) yield { id, next: JSON.parse(data) as Answer };
      }
    }
  }
  const iterator = payloads();
  return {
    async take(count: number): Promise<StreamPayload[]> {
      const taken: StreamPayload[] = [];
      while (taken.length < count) {
        const { value, done } = await iterator.next();
        if (done) break;
        taken.push(value);
      }
      return taken;
    },
    close: () => void response.destroy(),
  };
}

/** Waits until all entries have their place in the tree. */
export function allPlaced(house: TestHouse): Promise<unknown> {
  return until(async () => {
    const [{ waiting }] = await house.runtime.database.query(
      'select count(*) as waiting from entry where position is null',
    );
    return waiting === '0';
  });
}
