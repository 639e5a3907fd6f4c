import { ContractServer } from '../sdk/contract-server.ts';
import { Terminal } from './terminal.ts';

const PENALTY = {
  factor: 'ERRORS',
  reason: 'requests fail',
  points: 40,
  evidence: '5 of 10 requests failed',
  query: '{ agent(id: "a") { name } }',
};
const AGENT = {
  name: 'coder-01',
  state: 'RUNNING',
  presence: 'ONLINE',
  health: { score: 60, grade: 'DEGRADED', penalties: [PENALTY] },
  rootCause: { name: 'database-1', state: 'FAILED', presence: 'ONLINE', health: { score: 30 } },
};
const POLICY = {
  name: 'coders',
  version: 2,
  mode: 'ACT',
  kinds: ['coder'],
  labels: { env: 'prod' },
  rest: 'PT5S',
  maxShare: 0.25,
  steps: [
    { action: 'RESTART', attempts: 2, on: ['FAILED'] },
    { action: 'PAGE', attempts: 1, on: ['FAILED'] },
  ],
};

describe('fleet health and fleet recovery', () => {
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

  test('health says point by point what is wrong, whose fault it is, and how to see it', async () => {
    server.fields['agent'] = () => AGENT;
    const text = [
      'coder-01 is DEGRADED, 60 of 100 (RUNNING, ONLINE)',
      'the cause is database-1: 30 of 100 (FAILED, ONLINE)',
      'POINTS  FACTOR  WHY            EVIDENCE',
      '   -40  ERRORS  requests fail  5 of 10 requests failed',
      '',
    ];
    expect((await fleet('health', 'coder-01')).out).toBe(text.join('\n'));
    expect((await fleet('health', 'coder-01', '--queries')).out).toContain(`${PENALTY.query}\n`);
    expect(JSON.parse((await fleet('health', 'coder-01', '--json')).out)).toEqual(AGENT);
    server.fields['agent'] = () => ({
      ...AGENT,
      rootCause: null,
      health: { score: 100, grade: 'HEALTHY', penalties: [] },
    });
    expect((await fleet('health', 'coder-01')).out).toBe('coder-01 is HEALTHY, 100 of 100 (RUNNING, ONLINE)\n');
    server.fields['agent'] = () => null;
    expect(await fleet('health', 'nobody')).toMatchObject({ code: 4, err: expect.stringContaining('no agent nobody') });
    expect(await fleet('recovery', 'history', 'nobody')).toMatchObject({ code: 4 });
  });

  test('policies are shown in their order, with their ladders', async () => {
    server.fields['recoveryPolicies'] = () => [
      POLICY,
      { ...POLICY, name: 'default', version: 0, kinds: [], labels: {} },
    ];
    expect((await fleet('recovery', 'policies')).out).toBe(
      [
        'POLICY   VERSION  MODE  FOR                 REST  AT A TIME  LADDER',
        'coders         2  act   coder and env=prod  PT5S        25%  RESTART:2 PAGE:1',
        'default        0  act   everything else     PT5S        25%  RESTART:2 PAGE:1',
        '',
      ].join('\n'),
    );
  });

  test('apply says the whole policy, and what became of it', async () => {
    server.fields['applyRecoveryPolicy'] = () => ({ policy: POLICY, changes: [{ path: '/mode' }], userErrors: [] });
    const words = ['--step', 'restart:2', '--step', 'ROLLBACK_CONFIG:1:FAILED,CRITICAL', '--step', 'PAGE'];
    const more = ['--kind', 'coder', '--label', 'env=prod', '--mode', 'observe', '--rest', '5s', '--max-share', '0.25'];
    const ran = await fleet('recovery', 'apply', 'coders', ...words, ...more, '--dry-run');
    expect(ran).toMatchObject({ code: 0, out: 'coders would be version 2 (1 changes)\n' });
    expect(server.calls.at(-1)?.variables['input']).toEqual({
      name: 'coders',
      steps: [
        { action: 'RESTART', attempts: 2 },
        { action: 'ROLLBACK_CONFIG', attempts: 1, on: ['FAILED', 'CRITICAL'] },
        { action: 'PAGE', attempts: 1 },
      ],
      kinds: ['coder'],
      labels: { env: 'prod' },
      mode: 'OBSERVE',
      rest: 'PT5S',
      maxShare: 0.25,
      dryRun: true,
    });
    for (const wrong of [['--step', 'a b'], [...words, '--label', 'env'], [...words, '--max-share', 'half'], []])
      expect(await fleet('recovery', 'apply', 'coders', ...wrong)).toMatchObject({ code: 2 });
    server.fields['applyRecoveryPolicy'] = () => ({
      policy: null,
      changes: [],
      userErrors: [{ code: 'CONFLICT', message: 'it is at version 3' }],
    });
    expect(await fleet('recovery', 'apply', 'coders', ...words)).toMatchObject({ code: 5 });
  });

  test('history has only what recoveries did, over as many pages as it takes', async () => {
    const told = (name: string, detail: object) => ({ occurredAt: '2026-01-01T00:00:00.000Z', name, detail });
    server.fields['agent'] = ({ variables }) => ({
      events: variables['after']
        ? { pageInfo: { hasNextPage: false, endCursor: null }, nodes: [told('recovery.page', { reason: 'it failed' })] }
        : {
            pageInfo: { hasNextPage: true, endCursor: 'c' },
            nodes: [
              told('state.changed', {}),
              told('recovery.restart', { reason: 'it failed (restart 1 of 5)', policy: 'default' }),
            ],
          },
    });
    expect((await fleet('recovery', 'history', 'coder-01')).out).toBe(
      [
        'TIME                      STEP     POLICY   WHY',
        '2026-01-01T00:00:00.000Z  restart  default  it failed (restart 1 of 5)',
        '2026-01-01T00:00:00.000Z  page              it failed',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await fleet('recovery', 'history', 'coder-01', '--limit', '1', '--json')).out)).toHaveLength(1);
  });
});
