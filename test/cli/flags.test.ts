import { ContractServer } from '../sdk/contract-server.ts';
import { Terminal } from './terminal.ts';

const FLAG = {
  name: 'router.dedup',
  description: 'Equal calls share one.',
  owner: 'router',
  since: '0.2.0',
  isOnByDefault: true,
  state: 'ON',
  percentage: null,
  clients: [],
  isHeld: false,
  version: 0,
  updatedAt: null,
};

describe('fleet flags', () => {
  const server = new ContractServer();
  const terminal = new Terminal();
  const fleet = (...words: string[]) => terminal.run(...words);
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

  test('are shown as a table, and whole for scripts', async () => {
    const rows = [
      FLAG,
      { ...FLAG, name: 'router.canary', state: 'PARTIAL', percentage: 25, clients: ['a', 'b'] },
      { ...FLAG, name: 'router.throttle', state: 'PARTIAL', clients: ['a'], isOnByDefault: false },
      { ...FLAG, name: 'router.retries', state: 'OFF', isHeld: true },
    ];
    server.fields['featureFlags'] = () => rows;
    expect((await fleet('flags')).out).toBe(
      [
        'FLAG             STATE          DEFAULT  WHAT',
        'router.dedup     on             on       Equal calls share one.',
        'router.canary    25% + 2 named  on       Equal calls share one.',
        'router.throttle  1 named        off      Equal calls share one.',
        'router.retries   off (held)     on       Equal calls share one.',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await fleet('flags', '--json')).out)).toEqual(rows);
  });

  test('are set on, off, or on for a share', async () => {
    server.fields['applyFeatureFlag'] = ({ variables }) => ({
      flag: { ...FLAG, ...(variables['input'] as object), clients: [] },
      userErrors: [],
    });
    const asked = () => server.calls.at(-1)?.variables['input'];
    expect(await fleet('flags', 'set', 'router.dedup', 'off', '--reason', 'it stalls')).toMatchObject({
      out: 'router.dedup is off\n',
      code: 0,
    });
    expect(asked()).toEqual({ name: 'router.dedup', state: 'OFF', reason: 'it stalls' });
    expect((await fleet('flags', 'set', 'router.dedup', '25%', '--clients', 'a,b', '--dry-run')).out).toBe(
      'router.dedup is 25%\n',
    );
    expect(asked()).toEqual({
      name: 'router.dedup',
      state: 'PARTIAL',
      percentage: 25,
      clients: ['a', 'b'],
      dryRun: true,
    });
    expect(JSON.parse((await fleet('flags', 'set', 'router.dedup', 'on', '--json')).out)).toMatchObject({
      state: 'ON',
    });
  });

  test('are refused with the platform’s words, or before it is asked', async () => {
    server.fields['applyFeatureFlag'] = () => ({
      flag: null,
      userErrors: [{ code: 'NOT_FOUND', message: 'there is no such flag' }],
    });
    expect(await fleet('flags', 'set', 'router.wings', 'on')).toMatchObject({ code: 4 });
    const calls = server.calls.length;
    expect(await fleet('flags', 'set', 'router.dedup', '120%')).toMatchObject({ code: 2 });
    expect(await fleet('flags', 'set', 'router.dedup', 'maybe')).toMatchObject({ code: 2 });
    expect(server.calls.length).toBe(calls);
  });
});
