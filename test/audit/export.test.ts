import { ExportVerifier, type Verified } from '../../lib/audit-export/index.ts';
import type { Call } from '../../lib/call/signing.ts';
import { nodeId } from '../../lib/node-id.ts';
import { callOf, type TestHouse } from '../support/house.ts';
import { allPlaced, deliver, draft, startAudit } from './support.ts';

/** More than one page of rows, and with the large ones more than one of bytes: 24 MB, more than a connection's buffers take. */
const COUNT = 2_300;
let house: TestHouse;
const ids: string[] = [];
beforeAll(async () => {
  house = await startAudit();
  for (let at = 0; at < COUNT; at += 100) {
    const large = at % 400 === 0 ? 'x'.repeat(40_000) : 'x';
    const batch = Array.from({ length: 100 }, (_, i) => draft({ after: { at: at + i, large } }));
    expect((await deliver(house, batch)).status).toBe(200);
    ids.push(...batch.map(({ id }) => nodeId('AuditEntry', id)));
  }
  await allPlaced(house);
});
afterAll(() => house.stop());

const AUDITOR: Partial<Call> = { principal: { id: 'a', kind: 'PERSON', name: 'a', scopes: ['auditor'] } };

async function download(query = '', call = AUDITOR): Promise<{ status: number; body: Buffer }> {
  const target = `GET /v1/audit/export${query}`;
  const { status, body } = await house.client.send(target, { call: callOf(call), maxBytes: 100_000_000 });
  return { status, body };
}

function verified(...parts: Buffer[]): Verified {
  const verifier = new ExportVerifier();
  for (const part of parts) verifier.push(part);
  return verifier.end();
}

test('the whole log is exported, and verified as what the newest checkpoint signs', async () => {
  const { status, body } = await download();
  expect(status).toBe(200);
  const { data } = await house.ask('{ auditCheckpoint { origin size rootHash signedNote } }');
  const { size, ...rest } = data.auditCheckpoint;
  expect(verified(body)).toEqual({ ...rest, size: COUNT, key: expect.stringContaining(rest.origin), removed: 0 });
  expect(size).toBe(String(COUNT));
  const lines = body.toString().trimEnd().split('\n');
  const told = lines.slice(1, -1).map((line) => JSON.parse(line));
  expect(told.map(({ index }) => index)).toEqual(Array.from({ length: COUNT }, (_, at) => at));
  expect(new Set(told.map(({ leaf }) => nodeId('AuditEntry', leaf.id)))).toEqual(new Set(ids));
});

test('an export goes on from any entry: its parts together are the whole', async () => {
  const { body: whole } = await download();
  for (const from of [1, 999, 1_000, 1_001, COUNT]) {
    const { status, body } = await download(`?from=${from}`);
    expect(status).toBe(200);
    const at = whole.indexOf(from === COUNT ? '{"checkpoint":' : `{"index":${from},`);
    expect(body.equals(whole.subarray(at))).toBe(true);
  }
});

test.each([
  ['?from=-1', AUDITOR, 400, 'BAD_INPUT'],
  ['?from=01', AUDITOR, 400, 'BAD_INPUT'],
  ['?from=x', AUDITOR, 400, 'BAD_INPUT'],
  [`?from=${COUNT + 1}`, AUDITOR, 404, 'NOT_FOUND'],
  [
    '',
    { principal: { id: 'v', kind: 'PERSON', name: 'v', scopes: ['viewer', 'operator'] } } as const,
    403,
    'FORBIDDEN',
  ],
])('an export %s is refused with its code', async (query, call, status, code) => {
  const answer = await download(query, call as Partial<Call>);
  expect([answer.status, JSON.parse(answer.body.toString()).errors[0].extensions.code]).toEqual([status, code]);
});

test('exports that are not read are bounded in number, and end when their reader leaves', async () => {
  const open = () => house.client.open('GET /v1/audit/export', { call: callOf(AUDITOR) });
  const unread = [];
  for (let tries = 0; tries < 4; tries += 1) {
    const answer = await open();
    expect(answer.statusCode).toBe(200);
    // The first bytes are there: it runs, and waits for us.
    await new Promise((resolve) => answer.once('readable', resolve));
    unread.push(answer);
  }
  const refused = await download();
  expect([refused.status, JSON.parse(refused.body.toString()).errors[0].extensions.code]).toEqual([503, 'OVERLOADED']);
  for (const answer of unread) answer.destroy();
  for (let status = 503; status !== 200; ) ({ status } = await download());
  expect(verified((await download()).body).size).toBe(COUNT);
});
