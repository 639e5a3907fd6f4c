import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { OpenFeature, ProviderEvents } from '@openfeature/server-sdk';
import { FileFlags, FLAG_NAMES, FLAGS, fixedFlags, heldFlags, standardFlags } from '../../lib/flags/index.ts';
import { FlagProvider } from '../../lib/flags/provider.ts';
import { Log } from '../../lib/log.ts';
import { until } from '../support/until.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-flags-'));
const file = path.join(folder, 'flags.json');
const lines: { event: string; error?: string }[] = [];
const log = new Log('test', [{ write: (line) => lines.push(JSON.parse(line)) }], () => 0);
let flags: FileFlags | undefined;

function write(given: unknown): void {
  writeFileSync(`${file}.new`, typeof given === 'string' ? given : JSON.stringify({ flags: given }));
  renameSync(`${file}.new`, file);
}

function open(given: unknown): FileFlags {
  write(given);
  flags = new FileFlags({ file, log });
  return flags;
}

beforeEach(() => lines.splice(0));
afterEach(() => {
  flags?.close();
  rmSync(file, { force: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

const callers = Array.from({ length: 10_000 }, (_, index) => ({ id: `caller-${index}` }));

test('a flag that no file names is as the catalogue says', () => {
  flags = new FileFlags({ file, log });
  expect(flags.isOn('router.dedup')).toBe(true);
  expect(standardFlags().isOn('router.dedup', { id: 'somebody' })).toBe(heldFlags().isOn('router.dedup'));
});

test('a flag is on or off for all', () => {
  const { isOn } = asked(
    open({ 'router.dedup': { defaultVariant: 'off' }, 'router.canary': { defaultVariant: 'on' } }),
  );
  expect([isOn('router.dedup'), isOn('router.canary')]).toEqual([false, true]);
});

test('a disabled rule counts as absent', () => {
  const { isOn } = asked(open({ 'router.dedup': { state: 'DISABLED', defaultVariant: 'off' } }));
  expect(isOn('router.dedup')).toBe(true);
});

test('a percentage takes its share of callers, the same ones every time, and others for another flag', () => {
  const { isOn } = asked(open({ 'router.dedup': { percentage: 25 }, 'router.canary': { percentage: 25 } }));
  const chosen = callers.filter((caller) => isOn('router.dedup', caller));
  expect(chosen.length).toBeGreaterThan(2_300);
  expect(chosen.length).toBeLessThan(2_700);
  expect(callers.filter((caller) => isOn('router.dedup', caller))).toEqual(chosen);
  const both = chosen.filter((caller) => isOn('router.canary', caller));
  expect(both.length).toBeGreaterThan(500);
  expect(both.length).toBeLessThan(750);
  expect(isOn('router.dedup')).toBe(false);
});

test('who was in a smaller percentage is in a larger one', () => {
  const { isOn } = asked(open({ 'router.dedup': { percentage: 10 }, 'router.canary': { percentage: 100 } }));
  const few = callers.filter((caller) => isOn('router.dedup', caller));
  expect(callers.every((caller) => isOn('router.canary', caller))).toBe(true);
  write({ 'router.dedup': { percentage: 40 } });
  expect(flags?.reload()).toBe(true);
  expect(few.every((caller) => isOn('router.dedup', caller))).toBe(true);
});

test('a client on the list has it, whatever the percentage', () => {
  const { isOn } = asked(open({ 'router.dedup': { clients: ['key-1'] } }));
  expect([isOn('router.dedup', { id: 'key-1' }), isOn('router.dedup', { id: 'key-2' })]).toEqual([true, false]);
});

test('a name that is in no catalogue throws', () => {
  expect(() => heldFlags().isOn('router.wings' as never)).toThrow('router.wings is no flag');
});

test.each([
  ['half a file', '{', 'is no JSON'],
  ['an unknown flag', '{"flags":{"router.wings":{}}}', 'router.wings is no flag'],
  ['too many percent', '{"flags":{"router.dedup":{"percentage":101}}}', 'wrong at flags.router.dedup.percentage'],
  [
    'a contradiction',
    '{"flags":{"router.dedup":{"defaultVariant":"on","percentage":5}}}',
    'neither a percentage nor clients',
  ],
  ['an unknown word', '{"wings":{}}', 'wrong at its root'],
  ['a huge file', JSON.stringify({ flags: {}, filler: 'x'.repeat(1_000_001) }), 'over 1000000 bytes'],
])('a process does not start on %s', (_, text, message) => {
  write(text);
  expect(() => new FileFlags({ file, log })).toThrow(message);
});

test('a change takes effect by itself, and a bad file keeps what was good', async () => {
  const { isOn } = asked(open({ 'router.dedup': { defaultVariant: 'off' } }));
  write({ 'router.dedup': { defaultVariant: 'on' } });
  await until(() => isOn('router.dedup'));
  write('not JSON');
  await until(() => lines.some(({ event }) => event === 'flags.refused'));
  expect(isOn('router.dedup')).toBe(true);
  write({ 'router.dedup': { defaultVariant: 'off' } });
  await until(() => !isOn('router.dedup'));
  rmSync(file);
  await until(() => isOn('router.dedup'));
});

test('held flags listen to no file', () => {
  write({ 'router.dedup': { defaultVariant: 'on' } });
  flags = new FileFlags({ file, hold: 'all-off', log });
  expect(FLAG_NAMES.filter((name) => flags?.isOn(name))).toEqual([]);
  expect(FLAG_NAMES.every((name) => heldFlags('all-on').isOn(name))).toBe(true);
  expect(fixedFlags({ 'router.dedup': true }, flags).isOn('router.dedup')).toBe(true);
});

test('OpenFeature is told the same, and of each change', async () => {
  const provided = open({ 'router.dedup': { percentage: 50 }, 'router.canary': { defaultVariant: 'off' } });
  await OpenFeature.setProviderAndWait(new FlagProvider(provided));
  const client = OpenFeature.getClient();
  for (const { id } of callers.slice(0, 100)) {
    const details = await client.getBooleanDetails('router.dedup', true, { targetingKey: id });
    expect(details).toMatchObject({ value: provided.isOn('router.dedup', { id }), reason: 'TARGETING_MATCH' });
  }
  expect(await client.getBooleanDetails('router.canary', true)).toMatchObject({ value: false, reason: 'STATIC' });
  expect(await client.getBooleanDetails('router.wings', true)).toMatchObject({
    value: true,
    errorCode: 'FLAG_NOT_FOUND',
  });
  expect(await client.getStringDetails('router.dedup', 'x')).toMatchObject({ errorCode: 'TYPE_MISMATCH' });
  expect(await client.getNumberDetails('router.dedup', 1)).toMatchObject({ errorCode: 'TYPE_MISMATCH' });
  expect(await client.getObjectDetails('router.dedup', {})).toMatchObject({ errorCode: 'TYPE_MISMATCH' });
  const told: unknown[] = [];
  client.addHandler(ProviderEvents.ConfigurationChanged, (details) => void told.push(details?.flagsChanged));
  write({ 'router.dedup': { percentage: 50 } });
  expect(provided.reload()).toBe(true);
  await until(() => told.length > 0);
  expect(told).toEqual([['router.canary']]);
  await OpenFeature.close();
});

test('each flag of the catalogue is asked for by the code it names', () => {
  const root = path.resolve(__dirname, '../..');
  const sources = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], { cwd: root })
    .toString()
    .split('\n')
    .filter((name) => /^(cli|lib|router|subgraphs)\//.test(name) && !name.startsWith('lib/flags/'))
    .filter((name) => existsSync(path.join(root, name)))
    .map((name) => readFileSync(path.join(root, name), 'utf8'));
  const unasked = FLAG_NAMES.filter((name) => !sources.some((text) => text.includes(`isOn('${name}'`)));
  expect(unasked).toEqual([]);
  expect(FLAG_NAMES.filter((name) => !existsSync(path.join(root, FLAGS[name].owner)))).toEqual([]);
});

function asked(given: FileFlags): { isOn: FileFlags['isOn'] } {
  return { isOn: (name, caller) => given.isOn(name, caller) };
}
