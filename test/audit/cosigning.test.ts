import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { ExportVerifier } from '../../lib/audit-export/index.ts';
import { Log } from '../../lib/log.ts';
import { consistencyPath, fold, leafHash, nodeHash } from '../../lib/merkle/index.ts';
import {
  addCheckpointText,
  checkpointText,
  cosign,
  cosignatureIn,
  readAddCheckpoint,
  readVerifierKey,
  SIZE_TYPE,
  signNote,
  verifierKey,
} from '../../lib/signed-note/index.ts';
import { auditSubgraph } from '../../subgraphs/audit/index.ts';
import { emptyHouseDatabase } from '../support/database.ts';
import { callOf, type TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { rootOf } from './definition.ts';
import { allPlaced, deliver, draft, startAudit } from './support.ts';

const ADD = 'POST /v1/audit/witness/add-checkpoint';
const signer = (name: string) => ({ name, privateKey: generateKeyPairSync('ed25519').privateKey });
const folders: string[] = [];
const houses: TestHouse[] = [];
/** What the houses log. */
const lines: string[] = [];
afterEach(async () => {
  for (const house of houses.splice(0)) await house.stop();
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function freshFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-cosigning-'));
  folders.push(folder);
  return folder;
}

async function start(settings: object, databaseUrl?: string): Promise<TestHouse> {
  const log = new Log('test', [{ write: (line) => lines.push(line) }], () => 0);
  const make: typeof auditSubgraph = (runtime) => auditSubgraph({ ...runtime, log });
  const house = await startAudit({ settings, make, ...(databaseUrl ? { databaseUrl } : {}) });
  houses.push(house);
  return house;
}

async function stop(house: TestHouse): Promise<void> {
  houses.splice(houses.indexOf(house), 1);
  await house.stop();
}

/** A log of leaves that a test makes up; two of one name with other leaves are a fork. */
class OwnLog {
  readonly bytes: Buffer[];
  constructor(
    readonly signer: { name: string; privateKey: ReturnType<typeof signerKey> },
    mark: string,
    shared = 0,
  ) {
    this.bytes = Array.from({ length: 40 }, (_, at) => Buffer.from(at < shared ? `leaf ${at}` : `${mark} ${at}`));
  }

  get key(): string {
    return verifierKey(this.signer);
  }

  note(size: number): string {
    const rootHash = rootOf(this.bytes.slice(0, size));
    return signNote(checkpointText({ origin: this.signer.name, size, rootHash }), this.signer);
  }

  proof(from: number, to: number): Buffer[] {
    const node = (level: number, index: number): Buffer =>
      level === 0
        ? leafHash(this.bytes[index] as Buffer)
        : nodeHash(node(level - 1, index * 2), node(level - 1, index * 2 + 1));
    return consistencyPath(from, to).map((parts) => fold(parts.map(({ level, index }) => node(level, index))));
  }

  text(oldSize: number, size: number): string {
    const hashes = oldSize > 0 && oldSize < size ? this.proof(oldSize, size) : [];
    return addCheckpointText({ oldSize, hashes, note: this.note(size) });
  }
}
const signerKey = () => generateKeyPairSync('ed25519').privateKey;

async function put(house: TestHouse, body: string) {
  const { status, headers, body: said } = await house.client.send(ADD, { call: callOf(), body });
  return { status, type: headers['content-type'], said: said.toString() };
}

async function keyOf(house: TestHouse): Promise<string> {
  return (await house.ask('{ auditWitness { key } }')).data.auditWitness.key;
}

describe('a cosignature', () => {
  const witness = signer('witness.example/w1');
  const key = readVerifierKey(verifierKey(witness, 'cosignature'), 'cosignature');
  const log = new OwnLog(signer('log.example'), 'leaf');
  const text = `${log.note(3).split('\n\n')[0]}\n`;

  test('says when which checkpoint was seen, beside the signature of the log', () => {
    const line = cosign(text, witness, 1_679_315_147);
    const note = `${log.note(3)}${line}`;
    expect(cosignatureIn(note, key)).toEqual({ line, atSeconds: 1_679_315_147 });
    // The time stands before the signature, big-endian (the example of the specification begins so).
    expect(
      Buffer.from(line.split(' ')[2] as string, 'base64')
        .subarray(4, 12)
        .toString('hex'),
    ).toBe('00000000641850cb');
    expect(Buffer.from(line.split(' ')[2] as string, 'base64')).toHaveLength(4 + 8 + 64);
  });

  test('holds for nothing else: another text, time, key or kind of key', () => {
    const line = cosign(text, witness, 1_679_315_147);
    const note = `${log.note(3)}${line}`;
    const bytes = Buffer.from(line.split(' ')[2] as string, 'base64');
    for (let at = 0; at < bytes.length; at += 1) {
      const altered = Buffer.from(bytes);
      altered[at] = (altered[at] as number) ^ 1;
      expect(cosignatureIn(note.replace(bytes.toString('base64'), altered.toString('base64')), key)).toBeUndefined();
    }
    expect(cosignatureIn(`${log.note(4)}${line}`, key)).toBeUndefined();
    expect(
      cosignatureIn(note, readVerifierKey(verifierKey(signer(witness.name), 'cosignature'), 'cosignature')),
    ).toBeUndefined();
    expect(cosignatureIn(log.note(3), key)).toBeUndefined();
    expect(() => readVerifierKey(verifierKey(witness), 'cosignature')).toThrow('a key of a witness');
    expect(() => readVerifierKey(verifierKey(witness, 'cosignature'))).toThrow('a verifier key');
  });

  test('a request is read as it was written, and nothing like it', () => {
    for (const [from, to] of [
      [0, 3],
      [3, 3],
      [3, 17],
    ] as const) {
      const asked = readAddCheckpoint(log.text(from, to));
      expect(asked).toEqual({
        oldSize: from,
        hashes: from && from < to ? log.proof(from, to) : [],
        note: log.note(to),
      });
    }
    const good = log.text(3, 17);
    for (const bad of [
      '',
      'old 3\n',
      good.replace('old 3', 'old 03'),
      good.replace('old', 'OLD'),
      good.replace('=\n', '\n'),
    ]) {
      expect(readAddCheckpoint(bad)).toBeUndefined();
    }
  });
});

describe('the witness of other logs', () => {
  test('cosigns a log as it goes on, and tells everything else as the protocol says', async () => {
    const log = new OwnLog(signer('log.example'), 'leaf');
    const fork = new OwnLog(log.signer, 'other', 5);
    const house = await start({ FLEET_DATA: freshFolder(), FLEET_AUDIT_WITNESS_OF: [log.key] });
    const key = readVerifierKey(await keyOf(house), 'cosignature');
    const first = await put(house, log.text(0, 7));
    expect(first).toMatchObject({ status: 200, type: 'text/plain; charset=utf-8' });
    expect(cosignatureIn(`${log.note(7)}${first.said}`, key)?.line).toBe(first.said);
    expect((await put(house, log.text(7, 20))).status).toBe(200);
    // The same again says it again, with a fresh time.
    expect((await put(house, log.text(20, 20))).status).toBe(200);
    const size = { status: 409, type: SIZE_TYPE, said: '20\n' };
    expect(await put(house, log.text(0, 20))).toEqual(size);
    expect(await put(house, log.text(7, 25))).toEqual(size);
    expect(await put(house, log.text(7, 19))).toEqual(size);
    expect(await put(house, fork.text(20, 20))).toEqual(size);
    expect((await put(house, fork.text(20, 30))).status).toBe(422);
    expect((await put(house, log.text(20, 30).replace(/\n.*=\n/, '\n'))).status).toBe(422);
    expect((await put(house, log.text(30, 20))).status).toBe(400);
    expect((await put(house, 'no checkpoint')).status).toBe(400);
    expect((await put(house, new OwnLog(signer('log.example'), 'leaf').text(20, 30))).status).toBe(403);
    expect((await put(house, new OwnLog(signer('unknown.example'), 'leaf').text(0, 3))).status).toBe(404);
    const { data } = await house.ask('{ auditWitness { logs { origin size rootHash } } }');
    const rootHash = rootOf(log.bytes.slice(0, 20)).toString('base64');
    expect(data.auditWitness.logs).toEqual([{ origin: 'log.example', size: '20', rootHash }]);
  });

  test('of two that come at once, and are no beginning of each other, one is cosigned', async () => {
    const log = new OwnLog(signer('log.example'), 'leaf');
    const forks = Array.from({ length: 8 }, (_, at) => new OwnLog(log.signer, `other ${at}`, 5));
    const house = await start({ FLEET_DATA: freshFolder(), FLEET_AUDIT_WITNESS_OF: [log.key] });
    expect((await put(house, log.text(0, 5))).status).toBe(200);
    const statuses = await Promise.all(forks.map(async (fork) => (await put(house, fork.text(5, 9))).status));
    expect(statuses.sort()).toEqual([200, ...Array.from({ length: 7 }, () => 409)]);
  });

  test('a witness whose database was put back forgets nothing: the file beside it knows', async () => {
    const log = new OwnLog(signer('log.example'), 'leaf');
    const fork = new OwnLog(log.signer, 'other', 5);
    const settings = { FLEET_DATA: freshFolder(), FLEET_AUDIT_WITNESS_OF: [log.key] };
    const database = await emptyHouseDatabase('audit');
    const house = await start(settings, database);
    await put(house, log.text(0, 5));
    await put(house, log.text(5, 9));
    await house.runtime.database.query('delete from witnessed_log');
    await stop(house);
    const again = await start(settings, database);
    expect(await put(again, fork.text(0, 8))).toMatchObject({ status: 409, said: '9\n' });
    expect((await put(again, fork.text(9, 12))).status).toBe(422);
    expect((await put(again, log.text(9, 12))).status).toBe(200);
  });

  test('nobody’s witness has no key and cosigns nothing', async () => {
    const house = await start({ FLEET_DATA: freshFolder() });
    expect((await house.ask('{ auditWitness { key } }')).data.auditWitness).toBeNull();
    expect((await put(house, new OwnLog(signer('log.example'), 'leaf').text(0, 3))).status).toBe(404);
  });
});

describe('a log with a witness', () => {
  let server: Server;
  let witness: TestHouse | undefined;
  let tokens: (string | undefined)[];
  let url: string;
  beforeEach(async () => {
    tokens = [];
    server = createServer((request, response) => {
      void (async () => {
        const body = Buffer.concat(await request.toArray()).toString();
        tokens.push(request.headers.authorization);
        const answer =
          witness && request.url === '/v1/audit/witness/add-checkpoint' ? await put(witness, body) : undefined;
        response.writeHead(answer?.status ?? 503, { 'content-type': String(answer?.type) }).end(answer?.said);
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/audit/witness`;
  });
  afterEach(() => {
    witness = undefined;
    server.closeAllConnections();
    server.close();
  });

  const COSIGNED = '{ auditCheckpoint { origin size cosigned { size signedNote witnesses cosignedAt } } }';
  const cosignedOf = async (house: TestHouse) => (await house.ask(COSIGNED)).data.auditCheckpoint.cosigned;
  /** Waits until all there is was cosigned; readings of the log are entries too. @returns how many there are */
  const allCosigned = (house: TestHouse): Promise<number> =>
    until<number>(async () => {
      const { size, cosigned } = (await house.ask(COSIGNED)).data.auditCheckpoint;
      return cosigned?.size === size ? Number(size) : 0;
    });
  const grow = async (house: TestHouse, count: number) => {
    await deliver(
      house,
      Array.from({ length: count }, () => draft()),
    );
    await allPlaced(house);
  };

  /** A log and the instance that is its witness; each is told the key of the other, as their operators do. */
  async function pair() {
    const place = { database: await emptyHouseDatabase('audit'), data: freshFolder() };
    const unwitnessed = await start({ FLEET_DATA: place.data }, place.database);
    await grow(unwitnessed, 3);
    const exported = await unwitnessed.client.send('GET /v1/audit/export', { call: auditor() });
    const logKey = JSON.parse(exported.body.toString().split('\n')[0] as string).key as string;
    await stop(unwitnessed);
    witness = await start({ FLEET_DATA: freshFolder(), FLEET_AUDIT_WITNESS_OF: [logKey] });
    const key = await keyOf(witness);
    const settings = { FLEET_AUDIT_WITNESSES: [{ key, url }], FLEET_AUDIT_WITNESS_TOKEN: 'token-of-the-log' };
    const begin = (data = place.data) => start({ FLEET_DATA: data, ...settings }, place.database);
    return { place, key, logKey, begin };
  }
  const auditor = () => callOf({ principal: { id: 'a', kind: 'PERSON', name: 'a', scopes: ['auditor'] } as never });

  test('is cosigned as it grows, and an export can be held against what was cosigned, offline', async () => {
    const { key, logKey, begin } = await pair();
    const house = await begin();
    const before = await allCosigned(house);
    await grow(house, 20);
    const after = await allCosigned(house);
    expect(after - before).toBeGreaterThanOrEqual(20);
    expect(new Set(tokens)).toEqual(new Set(['Bearer token-of-the-log']));
    const { signedNote, witnesses } = await cosignedOf(house);
    const verifier = readVerifierKey(key, 'cosignature');
    expect(witnesses).toEqual([verifier.name]);
    expect(cosignatureIn(signedNote, verifier)).toBeDefined();
    await grow(house, 4);
    const { body } = await house.client.send('GET /v1/audit/export', { call: auditor() });
    const verified = (options: object) => {
      const reading = new ExportVerifier({ key: logKey, older: signedNote, ...options });
      reading.push(body);
      return reading.end().size;
    };
    expect(verified({ witnesses: [key] })).toBeGreaterThanOrEqual(after + 4);
    const stranger = verifierKey(signer('witness.example'), 'cosignature');
    expect(() => verified({ witnesses: [key, stranger] })).toThrow('not cosigned by witness.example');
  });

  test('goes on while its witness is away, and is cosigned once it is back', async () => {
    const { begin } = await pair();
    const there = witness;
    witness = undefined;
    const house = await begin();
    await until(() => tokens.length > 0);
    await grow(house, 2);
    expect(await cosignedOf(house)).toBeNull();
    witness = there;
    expect(await allCosigned(house)).toBeGreaterThanOrEqual(5);
  });

  test('that was put back and grew another way is cosigned no more, and says so', async () => {
    const { place, begin } = await pair();
    const name = new URL(place.database).pathname.slice(1);
    const copied = async (from: string, to: string) => {
      const client = new Client({ connectionString: process.env['TEST_POSTGRES'] });
      await client.connect();
      await client.query(`drop database if exists ${to} with (force)`);
      await client.query(`create database ${to} template ${from}`);
      await client.end();
    };
    await copied(name, `${name}_backup`);
    const house = await begin();
    await grow(house, 5);
    const size = await allCosigned(house);
    await stop(house);
    await copied(`${name}_backup`, name);
    // Without the file beside it: whoever forks a log removes that too. The witness has what he has not.
    const forked = await begin(freshFolder());
    const refused = () => lines.filter((line) => line.includes('audit.cosigning.refused')).at(-1) ?? '';
    await until(() => refused().includes(`${size} entries`));
    await grow(forked, 9);
    await until(() => refused().includes('another past'));
    expect(await cosignedOf(forked)).toBeNull();
    const { data } = await (witness as TestHouse).ask('{ auditWitness { logs { size } } }');
    expect(data.auditWitness.logs).toEqual([{ size: String(size) }]);
  });
});
