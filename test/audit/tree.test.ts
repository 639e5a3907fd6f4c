import { createPrivateKey } from 'node:crypto';
import { Log } from '../../lib/log.ts';
import { GrowingTree, leafHash, verifyInclusion } from '../../lib/merkle/index.ts';
import { nodeId } from '../../lib/node-id.ts';
import { openNote, readCheckpoint, readVerifierKey, verifierKey } from '../../lib/signed-note/index.ts';
import { auditSubgraph } from '../../subgraphs/audit/index.ts';
import { emptyHouseDatabase } from '../support/database.ts';
import type { AnyShape, TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { allPlaced, deliver, draft, startAudit } from './support.ts';

const PROOFS = `query ($ids: [_Any!]!) { auditCheckpoint { origin size rootHash signedNote createdAt }
  _entities(representations: $ids) { ... on AuditEntry { id leafHash proof { leafIndex treeSize leaf leafHash hashes rootHash } } } }`;

const references = (entries: readonly { id: string }[]) => ({
  ids: entries.map(({ id }) => ({ __typename: 'AuditEntry', id: nodeId('AuditEntry', id) })),
});
const bytes = (text: string) => Buffer.from(text, 'base64');

function holds(proof: AnyShape): boolean {
  return (
    leafHash(bytes(proof.leaf)).equals(bytes(proof.leafHash)) &&
    verifyInclusion({
      leafIndex: Number(proof.leafIndex),
      treeSize: Number(proof.treeSize),
      leafHash: bytes(proof.leafHash),
      hashes: proof.hashes.map(bytes),
      rootHash: bytes(proof.rootHash),
    })
  );
}

async function keyOf(house: TestHouse): Promise<string> {
  const [{ origin, private_key }] = await house.runtime.database.query('select origin, private_key from signing_key');
  return verifierKey({
    name: origin,
    privateKey: createPrivateKey({ key: private_key, format: 'der', type: 'pkcs8' }),
  });
}

/** What a checkpoint's note says, once its signature was found good. */
async function signed(house: TestHouse, note: string) {
  return readCheckpoint(openNote(note, [readVerifierKey(await keyOf(house))]) as string);
}

describe('on one house', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startAudit();
  });
  afterAll(() => house.stop());

  test('the empty log has a signed checkpoint of size 0', async () => {
    const { data } = await house.ask('{ auditCheckpoint { origin size rootHash signedNote createdAt } }');
    const checkpoint = await signed(house, data.auditCheckpoint.signedNote);
    expect(checkpoint).toEqual({
      origin: data.auditCheckpoint.origin,
      size: 0,
      rootHash: bytes(data.auditCheckpoint.rootHash),
    });
    expect(data.auditCheckpoint.rootHash).toBe('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');
  });

  test('entries of many writers at once are each proved, at gapless places, against the checkpoint', async () => {
    const batches = Array.from({ length: 40 }, (_, writer) =>
      Array.from({ length: 7 }, () => draft({ after: { writer } })),
    );
    await Promise.all(batches.map((batch) => deliver(house, batch)));
    await allPlaced(house);
    const { data, errors } = await house.ask(PROOFS, references(batches.flat()));
    expect(errors).toBeUndefined();
    const proofs: AnyShape[] = data._entities.map(({ proof }: AnyShape) => proof);
    expect(proofs.filter((proof) => !holds(proof))).toEqual([]);
    const places = proofs.map(({ leafIndex }) => Number(leafIndex)).sort((a, b) => a - b);
    expect(places).toEqual(places.map((_, i) => i));
    const { size, rootHash, signedNote, origin } = data.auditCheckpoint;
    expect(new Set(proofs.map((proof) => `${proof.treeSize} ${proof.rootHash}`))).toEqual(
      new Set([`${size} ${rootHash}`]),
    );
    expect(await signed(house, signedNote)).toEqual({ origin, size: 280, rootHash: bytes(rootHash) });
    // Entries of one batch keep their order.
    const [first] = batches as [ReturnType<typeof draft>[]];
    const order = data._entities.slice(0, first.length).map(({ proof }: AnyShape) => Number(proof.leafIndex));
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  test('a tree that grew in steps has the root of its leaves', async () => {
    for (let step = 1; step <= 5; step += 1) {
      await deliver(
        house,
        Array.from({ length: step }, () => draft()),
      );
      await allPlaced(house);
    }
    const rows: { leaf: Buffer }[] = await house.runtime.database.query('select leaf from entry order by position');
    const tree = new GrowingTree(0, []);
    for (const { leaf } of rows) tree.append(leafHash(leaf));
    const { data } = await house.ask('{ auditCheckpoint { size rootHash } }');
    expect(data.auditCheckpoint).toEqual({ size: String(rows.length), rootHash: tree.root.toString('base64') });
  });
});

test('a restart goes on with the same key and tree', async () => {
  const databaseUrl = await emptyHouseDatabase('audit');
  const start = () => startAudit({ databaseUrl });
  const one = await start();
  const before = draft();
  await deliver(one, [before]);
  await allPlaced(one);
  const key = await keyOf(one);
  await one.stop();
  const two = await start();
  const after = draft();
  await deliver(two, [after]);
  const { data } = await two.ask(PROOFS, references([before, after]));
  expect(data._entities.map(({ proof }: AnyShape) => holds(proof))).toEqual([true, true]);
  expect(await keyOf(two)).toBe(key);
  await two.stop();
});

test('two processes on one log make one tree and one key', async () => {
  const databaseUrl = await emptyHouseDatabase('audit');
  const one = await startAudit({ databaseUrl });
  const two = await startAudit({ databaseUrl });
  const entries = Array.from({ length: 60 }, () => draft());
  await Promise.all(entries.map((entry, i) => deliver(i % 2 ? one : two, [entry])));
  await allPlaced(one);
  const { data } = await two.ask(PROOFS, references(entries));
  expect(data._entities.filter(({ proof }: AnyShape) => !holds(proof))).toEqual([]);
  expect(data.auditCheckpoint.size).toBe('60');
  expect((await one.ask('{ auditCheckpoint { signedNote } }')).data.auditCheckpoint.signedNote).toBe(
    data.auditCheckpoint.signedNote,
  );
  await one.stop();
  await two.stop();
});

test('a log whose stored tree was altered signs nothing more and gives out no proof', async () => {
  const lines: string[] = [];
  const house = await startAudit({ make: (runtime) => auditSubgraph({ ...runtime, log: loud(lines) }) });
  const [first, second, third] = [draft(), draft(), draft()];
  await deliver(house, [first, second]);
  await allPlaced(house);
  const note = async () => (await house.ask('{ auditCheckpoint { signedNote } }')).data.auditCheckpoint.signedNote;
  const before = await note();
  await house.runtime.database.query('update tree_node set hash = sha256(hash)');
  await deliver(house, [third]);
  await until(() =>
    lines.some((line) => line.includes('sequencer.waits') && line.includes('is the one that was signed')),
  );
  expect(await note()).toBe(before);
  await house.runtime.database.query(`update entry set leaf_hash = sha256('other') where id = $1`, [second.id]);
  const { data, errors } = await house.ask(PROOFS, references([first]));
  expect(data._entities[0].proof).toBeNull();
  expect(errors?.[0]?.extensions.code).toBe('INTERNAL');
  await deliver(house, [{ ...first, action: 'other' }]);
  expect(lines.some((line) => line.includes('audit.entry.differs') && line.includes(first.id))).toBe(true);
  await house.stop();
});

test('before the first start there is no checkpoint', async () => {
  const house = await startAudit({
    make: async (runtime) => ({
      ...(await auditSubgraph(runtime)),
      start: async () => undefined,
      stop: async () => undefined,
    }),
  });
  const { data, errors } = await house.ask('{ auditCheckpoint { size } auditEntries { nodes { id } } }');
  expect([data, errors]).toEqual([{ auditCheckpoint: null, auditEntries: { nodes: [] } }, undefined]);
  expect((await fetch(`${house.url}/readyz`)).status).toBe(200);
  await house.stop();
});

function loud(lines: string[]): Log {
  return new Log('test', [{ write: (line) => lines.push(line) }], () => 0);
}
