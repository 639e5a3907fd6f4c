import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cosign, type NoteSigner, verifierKey } from '../../lib/signed-note/index.ts';
import { Terminal } from '../cli/terminal.ts';
import { startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { bytesOf, sampleEntries, sampleExport } from './sample-export.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-audit-command-'));
const file = path.join(folder, 'audit.ndjson');
const terminal = new Terminal();
const fleet = (...words: string[]) => terminal.run('audit', ...words);
const before = { ...process.env };
let platform: TestPlatform;
let agent = '';
/** When it had its first configuration. */
let firstAt = '';

const CONFIG = `mutation ($input: SetAgentConfigInput!) { setAgentConfig(input: $input) {
  auditEntry { id occurredAt proof { leafIndex } } userErrors { code } } }`;

async function configure(config: object, more: object = {}): Promise<{ id: string; occurredAt: string }> {
  const { data } = await platform.ask(CONFIG, { input: { id: agent, config, ...more } });
  expect(data.setAgentConfig.userErrors).toEqual([]);
  return data.setAgentConfig.auditEntry;
}

beforeAll(async () => {
  platform = await startTestPlatform();
  Object.assign(process.env, { FLEET_URL: platform.url, FLEET_TOKEN: platform.token });
  delete process.env['FLEET_DATA'];
  const { data } = await platform.ask(`mutation {
    registerAgent(input: { name: "worker", kind: "worker", version: "1", config: { model: "small", maxTokens: 1 } }) {
      agent { id } auditEntry { proof { leafIndex } } } }`);
  agent = data.registerAgent.agent.id;
  firstAt = (await configure({ model: 'small', maxTokens: 2 })).occurredAt;
  // A later time is a later millisecond.
  await until(() => Date.now() > Date.parse(firstAt) + 1);
});
afterAll(async () => {
  process.env = before;
  terminal.close();
  await platform.stop();
  rmSync(folder, { recursive: true });
});

test('a log is exported, gone on with as it grows or was cut off, and verified without the platform', async () => {
  const first = await fleet('export', file);
  expect([first.code, first.out]).toEqual([
    0,
    expect.stringMatching(/audit\.ndjson has \d+ entries, \d+ of them new\n$/),
  ]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const whole = readFileSync(file);
  const { out: note } = await fleet('checkpoint');
  const older = path.join(folder, 'older');
  writeFileSync(older, note);
  await configure({ model: 'small', maxTokens: 3 });
  const grown = JSON.parse((await fleet('export', file, '--json')).out);
  expect(grown).toEqual({ file, from: grown.entries - 1, entries: grown.from + 1 });
  const all = readFileSync(file);
  expect(
    all.subarray(0, whole.lastIndexOf('{"checkpoint"')).equals(whole.subarray(0, whole.lastIndexOf('{"checkpoint"'))),
  ).toBe(true);
  writeFileSync(file, all.subarray(0, all.length - 700));
  const mended = JSON.parse((await fleet('export', file, '--json')).out);
  expect([mended.entries, readFileSync(file).equals(all)]).toEqual([grown.entries, true]);

  Object.assign(process.env, { FLEET_URL: 'http://127.0.0.1:1', FLEET_TOKEN: '' });
  const { out, err, code } = await fleet('verify', file, '--json', '--checkpoint', older);
  Object.assign(process.env, { FLEET_URL: platform.url, FLEET_TOKEN: platform.token });
  const found = JSON.parse(out);
  expect({ code, found }).toEqual({
    code: 0,
    found: expect.objectContaining({ isWhole: true, size: grown.entries, isKeyGiven: false }),
  });
  expect(err).toContain(`--key ${found.key}`);
  const known = await fleet('verify', file, '--key', found.key);
  expect([known.out, known.err]).toEqual([
    `${grown.entries} entries are whole, in order, and signed\nlog   ${found.origin}\nroot  ${found.rootHash}\n`,
    '',
  ]);
});

test('an export is held against a checkpoint that witnesses have cosigned', async () => {
  await fleet('export', file);
  const older = path.join(folder, 'cosigned');
  const { out: note } = await fleet('checkpoint');
  const [witness, stranger] = ['witness.example/w1', 'stranger.example'].map((name) => ({
    name,
    privateKey: generateKeyPairSync('ed25519').privateKey,
  })) as [NoteSigner, NoteSigner];
  const text = note.slice(0, note.indexOf('\n\n') + 1);
  writeFileSync(older, `${note}${cosign(text, witness, Math.floor(Date.now() / 1_000))}`);
  const [key, other] = [verifierKey(witness, 'cosignature'), verifierKey(stranger, 'cosignature')];
  expect(await fleet('verify', file, '--checkpoint', older, '--witness', key)).toMatchObject({ code: 0 });
  expect(await fleet('verify', file, '--checkpoint', older, '--witness', `${key},${other}`)).toMatchObject({
    code: 5,
    err: expect.stringContaining('the older checkpoint is not cosigned by stranger.example'),
  });
  expect((await fleet('verify', file, '--witness', key)).err).toContain('give it with --checkpoint');
  expect((await fleet('checkpoint', '--cosigned')).err).toContain('no witness has cosigned the log');
});

test('a damaged log is refused, and the entry is named', async () => {
  const damaged = path.join(folder, 'damaged');
  writeFileSync(damaged, readFileSync(file, 'utf8').replace('"maxTokens":2', '"maxTokens":9'));
  const { out, err, code } = await fleet('verify', damaged, '--json');
  const told = JSON.parse(out);
  expect(told).toEqual({
    isWhole: false,
    fault: 'ALTERED',
    index: expect.any(Number),
    id: expect.any(String),
    message: expect.any(String),
  });
  expect([code, err]).toEqual([5, `fleet: ${damaged} is damaged, ALTERED: ${told.message} (CONFLICT)\n`]);
  const { data } = await platform.ask('query ($id: ID!) { auditEntry(id: $id) { index action } }', { id: told.id });
  expect(data.auditEntry).toEqual({ index: String(told.index), action: 'setAgentConfig' });
});

test('what cannot be verified or exported is refused with the house’s exit codes', async () => {
  expect(await fleet('verify', path.join(folder, 'none'))).toMatchObject({
    code: 4,
    err: expect.stringContaining('there is no file'),
  });
  expect(await fleet('verify', file, '--checkpoint', path.join(folder, 'none'))).toMatchObject({ code: 4 });
  expect(await fleet('verify', file, '--key', 'nonsense')).toMatchObject({
    code: 5,
    err: expect.stringContaining('UNSIGNED'),
  });
  const other = path.join(folder, 'other');
  writeFileSync(other, 'somebody’s letters\n');
  expect(await fleet('export', other)).toMatchObject({ code: 5, err: expect.stringContaining('left as it is') });
  expect(readFileSync(other, 'utf8')).toBe('somebody’s letters\n');
  const another = bytesOf(sampleExport(sampleEntries(2)));
  writeFileSync(other, another);
  expect(await fleet('export', other)).toMatchObject({ code: 5, err: expect.stringContaining('take another file') });
  expect(readFileSync(other).equals(another)).toBe(true);
  const { data } = await platform.ask(
    'mutation { createApiKey(input: { name: "reader", scopes: ["viewer"] }) { secret } }',
  );
  process.env['FLEET_TOKEN'] = data.createApiKey.secret;
  const fresh = path.join(folder, 'fresh');
  expect(await fleet('export', fresh)).toMatchObject({ code: 3, err: expect.stringContaining('auditor') });
  expect(existsSync(fresh)).toBe(false);
  process.env['FLEET_TOKEN'] = platform.token;
});

test('a log is written as events that security tools read, one for each entry', async () => {
  const events = path.join(folder, 'events');
  const { out, code } = await fleet('export', events, '--format', 'ocsf', '--json');
  const told = readFileSync(events, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect([code, JSON.parse(out)]).toEqual([0, { file: events, entries: told.length }]);
  expect(told.map(({ metadata }) => metadata.sequence)).toEqual(told.map((_, at) => at));
  expect(told[0]).toEqual({
    activity_id: 1,
    activity_name: 'Create',
    category_uid: 6,
    category_name: 'Application Activity',
    class_uid: 6_003,
    class_name: 'API Activity',
    type_uid: 600_301,
    time: expect.any(Number),
    severity_id: 1,
    status_id: 1,
    status: 'Success',
    actor: { user: { uid: 'admin', name: 'admin', type_id: 99, type: 'SCRIPT' } },
    api: { operation: 'registerAgent', service: { name: 'Fleetgraph' }, request: { uid: expect.any(String) } },
    src_endpoint: { ip: expect.any(String) },
    resources: [{ type: 'Agent', uid: agent }],
    metadata: expect.objectContaining({ version: '1.6.0', log_name: 'audit', uid: expect.any(String), sequence: 0 }),
    unmapped: expect.objectContaining({ outcome: 'SUCCEEDED', before: null, leafHash: expect.any(String) }),
  });
  expect(told.find(({ api }) => api.operation === 'setAgentConfig')).toMatchObject({
    activity_id: 3,
    type_uid: 600_303,
  });
  expect(await fleet('export', events, '--format', 'ocsf')).toMatchObject({ code: 5 });
  expect(await fleet('export', `${events}2`, '--format', 'cef')).toMatchObject({ code: 2 });
});

test('blame tells who wrote each part last, and with a path every change of it', async () => {
  const last = await configure({ model: 'large', maxTokens: 4, tools: { git: true } }, { reason: 'dry run is over' });
  const rows = JSON.parse((await fleet('blame', agent, '--json')).out);
  const of = (name: string) => rows.find((row: { path: string }) => row.path === name);
  expect(of('/config/model')).toMatchObject({
    value: 'large',
    entry: last.id,
    action: 'setAgentConfig',
    // Anybody may write this; what is a dry run is told by a mark of its own.
    reason: 'dry run is over',
  });
  expect(of('/config/tools/git')).toMatchObject({ value: true, entry: last.id, actor: { name: 'admin' } });
  expect(of('/name')).toMatchObject({ value: 'worker', action: 'registerAgent' });
  const each = JSON.parse((await fleet('blame', agent, '/config/maxTokens', '--json')).out);
  expect(each.map(({ value }: { value: unknown }) => value)).toEqual([4, 3, 2, 1]);
  const { out } = await fleet('blame', agent, '/config/model');
  expect(out.split('\n')[0]).toMatch(/^PATH +VALUE +WHEN +WHO +ACTION +ENTRY$/);
  expect(out).toMatch(/\/config\/model +"large" +\S+ +admin +setAgentConfig/);
});

test('the state at a time is as it was then, and a diff tells what became of it', async () => {
  const then = JSON.parse((await fleet('state', agent, '--at', firstAt)).out);
  expect(then).toMatchObject({ name: 'worker', config: { model: 'small', maxTokens: 2 } });
  const now = JSON.parse((await fleet('state', agent)).out);
  expect(now.config).toEqual({ model: 'large', maxTokens: 4, tools: { git: true } });
  const rows = JSON.parse((await fleet('diff', agent, '--from', firstAt, '--json')).out);
  expect(rows).toEqual(
    expect.arrayContaining([
      { path: '/config/maxTokens', from: 2, to: 4 },
      { path: '/config/model', from: 'small', to: 'large' },
      { path: '/config/tools/git', to: true },
    ]),
  );
  expect((await fleet('diff', agent, '--from', firstAt)).out).toMatch(/\/config\/tools\/git +- +true/);
});

test('commands and dry runs are no changes, and what is gone is not there', async () => {
  await platform.ask(
    'mutation ($input: SendAgentCommandInput!) { sendAgentCommand(input: $input) { userErrors { code } } }',
    {
      input: { agentId: agent, name: 'rest' },
    },
  );
  const policy = (keepFor: string, dryRun: boolean) =>
    platform.ask(
      'mutation ($input: RetentionPolicyInput!) { applyRetentionPolicy(input: $input) { auditEntry { targetId proof { leafIndex } } } }',
      { input: { name: 'noise', match: {}, keepFor, dryRun } },
    );
  const { data } = await policy('P2D', false);
  await policy('P9D', true);
  const { targetId } = data.applyRetentionPolicy.auditEntry;
  expect(JSON.parse((await fleet('state', targetId)).out)).toMatchObject({ keepFor: 'P2D' });
  expect(JSON.parse((await fleet('state', agent)).out)).toMatchObject({ name: 'worker' });
  await platform.ask(
    'mutation ($input: AgentActionInput!) { deregisterAgent(input: $input) { auditEntry { proof { leafIndex } } } }',
    {
      input: { id: agent },
    },
  );
  expect(await fleet('state', agent)).toMatchObject({ code: 4, err: expect.stringContaining('is not there') });
  expect(await fleet('blame', agent, '--json')).toMatchObject({ code: 0, out: '[]\n' });
});

test.each([
  [['state', 'nobody'], 4],
  [['state', 'nobody', '--at', 'yesterday'], 2],
  [['state', 'nobody', '--at', '2026-02-30T99:00:00Z'], 2],
  [['diff', 'nobody'], 2],
  [['blame', 'nobody', 'maxTokens'], 2],
  [['blame', 'nobody', '/a~2'], 2],
])('%j ends with %i', async (words, code) => {
  expect(await fleet(...words)).toMatchObject({ code });
});
