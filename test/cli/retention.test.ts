import { ContractServer } from '../sdk/contract-server.ts';
import { Terminal } from './terminal.ts';

const MATCH = { services: null, maxSeverity: null, agentIds: null, attributes: null, resource: null, query: null };
const DEFAULT = {
  name: 'default',
  version: 0,
  match: MATCH,
  keepFor: 'P30D',
  maxBytes: null,
  hold: false,
  entryCount: 1200,
  sizeBytes: 99000,
  oldestAt: '2026-01-31T12:00:00.000Z',
};
const CASE = {
  ...DEFAULT,
  name: 'case-7',
  version: 2,
  match: { ...MATCH, services: ['court'], attributes: [{ name: 'case', op: 'RE', value: '7.*' }], query: '"a b"' },
  hold: true,
};
const REMOVAL = {
  policy: 'default',
  reason: 'AGE',
  entryCount: 12,
  sizeBytes: 3400,
  observedBefore: '2026-01-01T00:00:00.000Z',
};

describe('fleet retention', () => {
  const server = new ContractServer();
  const terminal = new Terminal();
  const fleet = (...words: string[]) => terminal.run('retention', ...words);
  const before = { ...process.env };
  beforeAll(async () => {
    await server.start();
    Object.assign(process.env, { FLEET_URL: server.url, FLEET_TOKEN: 'operator-token' });
  });
  afterAll(async () => {
    process.env = before;
    terminal.close();
    await server.stop();
  });
  const asked = () => server.calls.at(-1)?.variables['input'];

  test('list shows the policies and what they govern, whole for scripts', async () => {
    server.fields['retentionPolicies'] = () => [CASE, DEFAULT];
    expect((await fleet('list')).out).toBe(
      [
        'POLICY   KEEP  MAX BYTES  ENTRIES  BYTES  OLDEST                    ABOUT',
        'case-7   hold                1200  99000  2026-01-31T12:00:00.000Z  service court and attributes.case=~7.* and "a b"',
        'default  P30D                1200  99000  2026-01-31T12:00:00.000Z  everything else',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await fleet('list', '--json')).out)).toEqual([CASE, DEFAULT]);
  });

  test('preview says what would go, and that nothing would', async () => {
    server.fields['retentionPreview'] = () => [REMOVAL];
    const table = [
      'POLICY   WHY  ENTRIES  BYTES  OBSERVED BEFORE',
      'default  AGE       12   3400  2026-01-01T00:00:00.000Z',
      '',
    ].join('\n');
    expect((await fleet('preview', '--without', 'a,b')).out).toBe(table);
    expect(server.calls.at(-1)?.variables).toEqual({ without: ['a', 'b'] });
    expect((await fleet('delete', 'case-7', '--dry-run')).out).toBe(table);
    expect(server.calls.at(-1)?.variables).toEqual({ without: ['case-7'] });
    server.fields['retentionPreview'] = () => [];
    expect(await fleet('preview')).toMatchObject({ code: 0, out: '', err: 'the next sweep removes nothing\n' });
  });

  test('apply says all that a policy can', async () => {
    server.fields['applyRetentionPolicy'] = () => ({ policy: CASE, changes: [], nextSweep: [REMOVAL], userErrors: [] });
    const words = ['apply', 'case-7', '--keep', '12h', '--service', 'a,b', '--severity', 'warn', '--agent', 'agent-1'];
    const more = ['--attribute', 'k=v', '--attribute', 'k!~x=y', '--resource', 'host!=h', '--query', '/a b/', '--hold'];
    const done = await fleet(...words, ...more, '--max-bytes', '1000', '--expected-version', '1', '--dry-run');
    expect(done.code).toBe(0);
    expect(done.out).toContain('case-7 would be version 2: service court');
    expect(done.out).toContain('default  AGE');
    expect(asked()).toEqual({
      name: 'case-7',
      match: {
        services: ['a', 'b'],
        maxSeverity: 'WARN',
        agentIds: ['agent-1'],
        attributes: [
          { name: 'k', op: 'EQ', value: 'v' },
          { name: 'k', op: 'NRE', value: 'x=y' },
        ],
        resource: [{ name: 'host', op: 'NE', value: 'h' }],
        query: '/a b/',
      },
      keepFor: 'PT12H',
      maxBytes: 1000,
      hold: true,
      expectedVersion: 1,
      dryRun: true,
    });
  });

  test('delete deletes; a refusal is told with its code', async () => {
    server.fields['deleteRetentionPolicy'] = () => ({ name: 'case-7', userErrors: [] });
    expect(await fleet('delete', 'case-7', '--expected-version', '2')).toMatchObject({
      code: 0,
      out: 'case-7 is deleted\n',
    });
    expect(asked()).toEqual({ name: 'case-7', expectedVersion: 2 });
    const refusal = { code: 'NOT_FOUND', message: 'there is no policy x', field: ['input', 'name'] };
    server.fields['deleteRetentionPolicy'] = () => ({ name: null, userErrors: [refusal] });
    expect((await fleet('delete', 'x')).code).toBe(4);
  });

  test('words that are none are refused before anything is asked', async () => {
    const count = server.calls.length;
    expect((await fleet('apply', 'x')).code).toBe(2);
    expect((await fleet('apply', 'x', '--keep', '1d', '--attribute', 'none')).code).toBe(2);
    expect((await fleet('apply', 'x', '--keep', '1d', '--max-bytes', '1k')).code).toBe(2);
    expect(server.calls).toHaveLength(count);
  });
});
