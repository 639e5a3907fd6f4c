import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLog } from '../../../lib/log.ts';
import { SupergraphFile } from '../../../router/schema/supergraph-file.ts';
import { type StandaloneRouter, startStandalone } from '../../../router/standalone.ts';
import { until } from '../../support/until.ts';
import { askAt, type Lighthouse, lightSdl, openLighthouse } from './support.ts';

let house: Lighthouse;
let router: StandaloneRouter;
let file: string;
beforeAll(async () => {
  house = await openLighthouse();
  file = path.join(mkdtempSync(path.join(tmpdir(), 'supergraph-')), 'supergraph.graphql');
  writeFileSync(file, house.supergraph(lightSdl()));
  router = await startStandalone({
    SUPERGRAPH_PATH: file,
    PORT: '0',
    FLEET_LOG_LEVEL: 'error',
    FLEET_CANARY_SHARE: '0',
  });
});
afterAll(async () => {
  await router.stop();
  await house.stop();
});

const has = async (field: string) =>
  JSON.stringify(await askAt(router.url, '{ __type(name: "Query") { fields { name } } }')).includes(`"${field}"`);

test('a file that is replaced by a rename is taken', async () => {
  writeFileSync(`${file}.new`, house.supergraph(lightSdl('renamed: Int')));
  renameSync(`${file}.new`, file);
  await until(() => has('renamed'));
});

test('a file that is written in place is taken', async () => {
  writeFileSync(file, house.supergraph(lightSdl('written: Int')));
  await until(() => has('written'));
});

test('a file that is told to be read again is taken at once', async () => {
  writeFileSync(file, house.supergraph(lightSdl('told: Int')));
  await router.reload();
  expect(await has('told')).toBe(true);
});

test('a file that cannot be looked at is away, and is taken when it can be again', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'supergraph-'));
  // A link to itself: looking at it fails otherwise than at a name that is not there.
  const inFile = path.join(folder, 'supergraph.graphql');
  symlinkSync(inFile, inFile);
  const watched = new SupergraphFile({ path: inFile, schema: {} as never, log: silentLog });
  expect(() => watched.look()).not.toThrow();
  const proposed: object[] = [];
  const schema = { propose: async (source: object) => void proposed.push(source) } as never;
  const there = new SupergraphFile({ path: inFile, schema, log: silentLog });
  rmSync(inFile);
  writeFileSync(inFile, 'type Query { back: Int }');
  there.look();
  there.look();
  await until(() => proposed.length === 1);
  expect(proposed).toEqual([{ supergraphSdl: 'type Query { back: Int }' }]);
});

test('a bad file, and one that is away, change nothing', async () => {
  writeFileSync(file, 'type Query { broken');
  await router.reload();
  expect(await has('told')).toBe(true);
  rmSync(file);
  await router.reload();
  expect(await has('told')).toBe(true);
});
