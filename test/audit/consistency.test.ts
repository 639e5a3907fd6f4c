import { leafHash, verifyConsistency } from '../../lib/merkle/index.ts';
import type { TestHouse } from '../support/house.ts';
import { rootOf } from './definition.ts';
import { allPlaced, deliver, draft, startAudit } from './support.ts';

const COUNT = 23;
const CONSISTENCY = 'query ($from: String!, $to: String!) { auditConsistency(from: $from, to: $to) }';
let house: TestHouse;
/** Canonical bytes of all entries, in the order of the tree. */
let leaves: Buffer[];
beforeAll(async () => {
  house = await startAudit();
  for (let left = COUNT; left > 0; left -= 5) {
    await deliver(
      house,
      Array.from({ length: Math.min(left, 5) }, () => draft()),
    );
    await allPlaced(house);
  }
  const rows: { leaf: Buffer }[] = await house.runtime.database.query('select leaf from entry order by position');
  leaves = rows.map(({ leaf }) => leaf);
});
afterAll(() => house.stop());

const ask = (from: string, to: string) => house.ask(CONSISTENCY, { from, to });

test('every smaller size is shown to be the beginning of every larger one, and of no other', async () => {
  const wrong: string[] = [];
  for (let to = 1; to <= COUNT; to += 1) {
    for (let from = 1; from <= to; from += 1) {
      const { data, errors } = await ask(String(from), String(to));
      const hashes = (data?.auditConsistency ?? []).map((text: string) => Buffer.from(text, 'base64'));
      const [root1, root2] = [rootOf(leaves.slice(0, from)), rootOf(leaves.slice(0, to))];
      const claim = { size1: from, size2: to, root1, root2, hashes };
      if (errors || !verifyConsistency(claim)) wrong.push(`${from} to ${to}`);
      if (verifyConsistency({ ...claim, root1: leafHash(root1) })) wrong.push(`a fork at ${from} to ${to}`);
    }
  }
  expect(wrong).toEqual([]);
});

test.each([
  ['0', '5', 'BAD_INPUT', ['from']],
  ['6', '5', 'BAD_INPUT', ['from']],
  ['5', String(COUNT + 1), 'NOT_FOUND', ['to']],
  ['-1', '5', 'BAD_INPUT', ['from']],
  ['1', '5.0', 'BAD_INPUT', ['to']],
  ['01', '5', 'BAD_INPUT', ['from']],
  ['1', '9999999999999999', 'BAD_INPUT', ['to']],
  ['', '5', 'BAD_INPUT', ['from']],
])('from %p to %p is refused as %s', async (from, to, code, field) => {
  const { data, errors } = await ask(from, to);
  expect([data?.auditConsistency, errors?.[0]?.extensions]).toEqual([null, expect.objectContaining({ code, field })]);
});

test('hashes that were altered in the database are given out by no proof', async () => {
  const altered = await startAudit();
  await deliver(
    altered,
    Array.from({ length: 8 }, () => draft()),
  );
  await allPlaced(altered);
  await altered.ask('{ auditCheckpoint { size } }');
  await altered.runtime.database.query('update tree_node set hash = sha256(hash) where level = 1 and index = 2');
  const { data, errors } = await altered.ask(CONSISTENCY, { from: '4', to: '6' });
  expect([data?.auditConsistency, errors?.[0]?.extensions.code]).toEqual([null, 'INTERNAL']);
  await altered.stop();
});
