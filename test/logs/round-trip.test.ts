import { gzipSync } from 'node:zlib';
import { Writer } from 'protobufjs/minimal';
import type { Principal } from '../../lib/call/principal.ts';
import { nodeId } from '../../lib/node-id.ts';
import { decodeMessage } from '../../lib/otlp/protobuf.ts';
import { callOf } from '../support/house.ts';
import { bodies, INGEST, ingest, LOGS, type LogsHouse, startLogsHouse } from './support.ts';

let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse();
});
afterAll(() => house.close());

const AGENT_ID = nodeId('Agent', '0197aaaa-0000-7000-8000-000000000001');
const OTHER_ID = nodeId('Agent', '0197aaaa-0000-7000-8000-000000000002');
const AGENT: Principal = { id: AGENT_ID, kind: 'AGENT', name: 'planner-1', scopes: ['agent'], agentId: AGENT_ID };
const VIEWER: Principal = { id: 'k1', kind: 'SCRIPT', name: 'viewer', scopes: ['viewer'] };

const post = (body: string | Buffer, headers: Record<string, string> = {}, principal?: Principal) =>
  house.client.send('POST /v1/logs', { call: callOf(principal ? { principal } : {}), body, headers });

const otlp = (service: string, ...logRecords: object[]) =>
  JSON.stringify({
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
        scopeLogs: [{ logRecords }],
      },
    ],
  });

describe('ingestLogs', () => {
  test('what was acknowledged is found whole at once, by search and by id', async () => {
    const record = {
      time: '1970-01-01T00:00:00.001Z',
      severity: 'WARN',
      service: 'old',
      body: 'Hello “there”',
      attributes: { a: { b: 1 }, list: [1, 'x', null], __proto__x: true },
      traceId: 'AB'.repeat(16),
      spanId: 'cd'.repeat(8),
    };
    await ingest(house, [{ ...record, agentId: AGENT_ID }]);

    const found = await house.ask(LOGS, { filter: { query: 'there service:old attributes.a.b:1' } });
    const [node] = found.data.logs.nodes;
    expect(found.data.logs).toMatchObject({
      totalCount: 1,
      nodes: [
        {
          ...record,
          traceId: 'ab'.repeat(16),
          resource: {},
          agent: { id: AGENT_ID },
          trace: { traceId: 'ab'.repeat(16) },
        },
      ],
    });
    const again = await house.ask('query ($id: ID!) { logEntry(id: $id) { id body } }', { id: node.id });
    expect(again).toEqual({ data: { logEntry: { id: node.id, body: record.body } } });
  });

  test('records are refused one by one, with their reasons', async () => {
    const good = { severity: 'INFO', service: 's', body: 'kept among the refused' };
    const records = [
      good,
      { ...good, time: '1969-12-31T23:59:59Z' },
      { ...good, service: '' },
      { ...good, body: 'a\u0000b' },
      { ...good, service: '\ud800' },
      { ...good, attributes: [1] },
      { ...good, agentId: 'nobody' },
      { ...good, traceId: 'ab' },
      { ...good, spanId: '0'.repeat(16) },
      { ...good, service: 'x'.repeat(300) },
    ];
    const answer = await house.ask(INGEST, { input: { records } });
    expect(answer.data.ingestLogs).toEqual({
      accepted: 1,
      rejected: [
        { index: 1, reason: 'the time is before 1970' },
        { index: 2, reason: 'the service name is empty' },
        { index: 3, reason: 'the body contains U+0000' },
        { index: 4, reason: 'the service is not valid Unicode' },
        { index: 5, reason: 'the attributes are not an object' },
        { index: 6, reason: 'agentId is not the id of an Agent' },
        { index: 7, reason: 'the trace id does not have 32 hexadecimal digits' },
        { index: 8, reason: 'the span id is all zeros' },
        { index: 9, reason: 'the service name has over 256 characters' },
      ],
      userErrors: [],
    });
    expect(await bodies(house, { query: '"among the refused"' })).toEqual([good.body]);
  });

  test('a batch resent is stored once, also while the first is under way; another caller’s is another', async () => {
    const records = [{ severity: 'INFO', service: 's', body: 'batched twice' }];
    const send = (principal?: Principal) =>
      house.ask(INGEST, { input: { records, batchId: 'b-1' } }, principal ? { principal } : {});
    const [one, two] = await Promise.all([send(), send()]);
    expect([one.data, two.data, (await send()).data]).toEqual(
      Array(3).fill({ ingestLogs: { accepted: 1, rejected: [], userErrors: [] } }),
    );
    expect(await bodies(house, { query: '"batched twice"' })).toHaveLength(1);
    await send(AGENT);
    expect(await bodies(house, { query: '"batched twice"' })).toHaveLength(2);
  });

  test('the header Idempotency-Key names a batch as well; two batches under one key are both stored', async () => {
    const send = (body: string) =>
      house.ask(INGEST, { input: { records: [{ severity: 'INFO', service: 's', body }] } }, { idempotencyKey: 'h-1' });
    for (const body of ['keyed one', 'keyed two', 'keyed one', 'keyed two']) await send(body);
    expect(await bodies(house, { query: '"keyed one" OR "keyed two"' })).toHaveLength(2);
  });

  test('a bad batchId and too many records are userErrors', async () => {
    const answer = await house.ask(INGEST, { input: { records: [], batchId: 'with space' } });
    expect(answer.data.ingestLogs.userErrors).toEqual([
      { code: 'BAD_INPUT', message: 'a batchId has 1 to 255 visible ASCII characters', field: ['input', 'batchId'] },
    ]);
    const record = { severity: 'INFO', service: 's', body: '' };
    const many = await house.ask(INGEST, { input: { records: Array(10_001).fill(record) } });
    expect(many.data.ingestLogs.userErrors).toMatchObject([{ code: 'BAD_INPUT', field: ['input', 'records'] }]);
    const none = await house.ask(INGEST, { input: { records: [] } });
    expect(none.data.ingestLogs).toEqual({ accepted: 0, rejected: [], userErrors: [] });
  });

  test('an agent logs as itself and for nobody else; who may only look may not log', async () => {
    const record = { severity: 'INFO', service: 's', body: 'said by an agent' };
    const records = [record, { ...record, agentId: OTHER_ID }];
    const answer = await house.ask(INGEST, { input: { records } }, { principal: AGENT });
    expect(answer.data.ingestLogs).toMatchObject({
      accepted: 1,
      rejected: [{ index: 1, reason: 'an agent logs for itself only' }],
    });
    const found = await house.ask(LOGS, { filter: { query: '"said by an agent" agent:planner-1' } });
    expect(found.data.logs.nodes).toMatchObject([{ agent: { id: AGENT_ID } }]);
    const refused = await house.ask(INGEST, { input: { records } }, { principal: VIEWER });
    expect(refused.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});

describe('POST /v1/logs', () => {
  test('JSON: nanoseconds, types, resource and severities arrive whole; refused records are told', async () => {
    const body = otlp(
      'otlp-json',
      {
        timeUnixNano: '1700000000123456789',
        severityNumber: 18,
        body: { stringValue: 'whole nanoseconds' },
        attributes: [{ key: 'user.id', value: { intValue: '42' } }],
      },
      {
        timeUnixNano: '1700000000123456790',
        severityText: 'warning',
        body: { kvlistValue: { values: [{ key: 'k', value: {} }] } },
      },
      { timeUnixNano: '1', severityNumber: 99 },
    );
    const answer = await post(gzipSync(body), { 'content-encoding': 'gzip' });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body.toString())).toEqual({
      partialSuccess: { rejectedLogRecords: '1', errorMessage: 'the severity number is not in 0 to 24 (record 2)' },
    });
    const found = await house.ask(LOGS, { filter: { services: ['otlp-json'] } });
    expect(found.data.logs.nodes).toMatchObject([
      { time: '2023-11-14T22:13:20.12345679Z', severity: 'WARN', body: '{"k":null}' },
      {
        time: '2023-11-14T22:13:20.123456789Z',
        severity: 'ERROR',
        body: 'whole nanoseconds',
        attributes: { 'user.id': 42 },
        resource: { 'service.name': 'otlp-json' },
      },
    ]);
  });

  test('protobuf is answered in protobuf; genuine repeats inside a body are kept', async () => {
    const text = Writer.create().uint32(10).string('twice inside').finish();
    const record = Writer.create().uint32(9).fixed64(5).uint32(42).bytes(text).finish();
    const scoped = Writer.create().uint32(18).bytes(record).uint32(18).bytes(record).finish();
    const resource = Writer.create().uint32(18).bytes(scoped).finish();
    const body = Buffer.from(Writer.create().uint32(10).bytes(resource).finish());
    const headers = { 'content-type': 'application/x-protobuf' };
    for (let round = 0; round < 3; round += 1) {
      expect(await post(body, headers)).toMatchObject({
        status: 200,
        headers: { 'content-type': 'application/x-protobuf' },
      });
    }
    expect(await bodies(house, { query: '"twice inside"' })).toEqual(['twice inside', 'twice inside']);
    const broken = await post(body.subarray(0, -1), headers);
    expect(broken.status).toBe(400);
    expect(decodeMessage(broken.body, { 1: ['code', 'enum'] })).toEqual({ code: 3 });
  });

  test('a refused record is told by its place in the request, whatever it is refused for', async () => {
    const long = { body: { stringValue: 'x'.repeat(1024 * 1024 + 1) } };
    const answer = await post(otlp('places', { severityNumber: 99 }, { body: { stringValue: 'fine' } }, long));
    expect(JSON.parse(answer.body.toString()).partialSuccess.errorMessage).toBe(
      'the severity number is not in 0 to 24 (record 0); the body has over 1048576 characters (record 2)',
    );
  });

  test('a body resent is stored once only if its records carry times', async () => {
    const timed = otlp('resent', { timeUnixNano: '7', body: { stringValue: 'timed' } });
    const untimed = otlp('resent', { body: { stringValue: 'untimed' } });
    for (const body of [timed, timed, untimed, untimed]) expect((await post(body)).status).toBe(200);
    expect((await bodies(house, { services: ['resent'] })).sort()).toEqual(['timed', 'untimed', 'untimed']);
  });

  test('the agent is the caller, else what the resource says', async () => {
    const said = (id: string) =>
      JSON.stringify({
        resourceLogs: [
          {
            resource: {
              attributes: [
                { key: 'fleet.agent.id', value: { stringValue: id } },
                { key: 'fleet.agent.name', value: { stringValue: 'scout' } },
              ],
            },
            scopeLogs: [{ logRecords: [{ body: { stringValue: 'whose' }, observedTimeUnixNano: '99' }] }],
          },
        ],
      });
    await post(said(OTHER_ID), {}, AGENT);
    await post(said('0197aaaa-0000-7000-8000-000000000002'));
    await post(said('not an id'));
    const found = await house.ask(LOGS, { filter: { query: 'whose' } });
    const agents = found.data.logs.nodes.map(({ agent }: { agent: { id: string } | null }) => agent?.id ?? null);
    expect(agents.sort()).toEqual([AGENT_ID, OTHER_ID, null].sort());
    expect(await bodies(house, { query: 'whose agent:scout' })).toHaveLength(1);
    expect(await bodies(house, { agentIds: [AGENT_ID], query: 'whose' })).toHaveLength(1);
  });

  test('who may only look may not log, and an unknown body is refused', async () => {
    expect((await post(otlp('x'), {}, VIEWER)).status).toBe(403);
    expect((await post('{}', { 'content-type': 'text/plain' })).status).toBe(415);
  });
});
