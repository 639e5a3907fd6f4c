import { ContractServer } from '../sdk/contract-server.ts';
import { Terminal } from './terminal.ts';

type Json = Record<string, unknown>;

describe('what is asked of many agents', () => {
  const server = new ContractServer();
  const terminal = new Terminal();
  const fleet = (...words: string[]) => terminal.run(...words);
  const before = { ...process.env };

  beforeAll(async () => {
    await server.start();
    Object.assign(process.env, { FLEET_URL: server.url, FLEET_TOKEN: 'operator-token' });
    delete process.env['FLEET_DATA'];
  });
  afterEach(() => {
    server.calls.length = 0;
  });
  afterAll(async () => {
    process.env = before;
    terminal.close();
    await server.stop();
  });
  const job = (state: string, done: number, refused = 0) => ({
    ...{ id: 'job-1', action: 'PAUSE', state, total: 3, done, refused, startedAt: null, finishedAt: null },
    refusals: refused ? [{ reason: 'it is PAUSED', count: refused }] : [],
  });
  const payload = (more: Json) => ({ job: null, affected: 3, agents: null, refusals: null, userErrors: [], ...more });

  test('is a job that is followed to its end, whose refusals end it with a code of their own', async () => {
    server.fields['actOnAgents'] = () => payload({ job: job('QUEUED', 0) });
    const steps = [job('RUNNING', 2), job('FINISHED', 3)];
    server.fields['job'] = () => steps.shift();
    const done = await fleet(
      'agents',
      'pause',
      '--filter',
      'health<50',
      '--kind',
      'coder,tester',
      '--reason',
      'deploy',
    );
    expect(done).toMatchObject({ out: 'pause finished: 3 of 3 agents asked, 0 refused (job-1)\n', err: '', code: 0 });
    const filter = { query: 'health<50', kinds: ['coder', 'tester'] };
    const input = { action: 'PAUSE', maxAffected: 1_000, reason: 'deploy', filter };
    expect(server.calls[0]?.variables).toEqual({ input });
    server.fields['job'] = () => job('FINISHED', 1, 2);
    const refused = await fleet('agents', 'pause', '--all', '--max', '5');
    expect(refused.out).toContain('2 refused');
    expect(refused.out).toContain('  2 × it is PAUSED\n');
    expect(refused.code).toBe(5);
    expect(JSON.parse((await fleet('--json', 'agents', 'pause', '--all')).out)).toEqual(job('FINISHED', 1, 2));
  });

  test('a dry run tells what would be, a refusal why not, and a forgotten filter is no filter', async () => {
    const refusals = [{ reason: 'it is RETIRED', count: 2 }];
    server.fields['actOnAgents'] = () => payload({ agents: [{ name: 'coder-01' }], refusals });
    const dry = await fleet('agents', 'stop', '--kind', 'coder', '--dry-run');
    expect(dry.out).toBe('stop is about 3 agents; nothing was changed\n  coder-01\n  2 × it is RETIRED\n');
    server.fields['actOnAgents'] = () => ({ userErrors: [{ code: 'CONFLICT', message: 'too many' }], job: null });
    expect(await fleet('agents', 'stop', '--all')).toMatchObject({
      out: '',
      err: expect.stringContaining('CONFLICT'),
      code: 5,
    });
    server.calls.length = 0;
    expect(await fleet('agents', 'stop')).toMatchObject({ err: expect.stringContaining('--all'), code: 5 });
    expect(server.calls).toEqual([]);
    expect((await fleet('agents', 'stop', '--all', '--max', 'many')).code).toBe(2);
  });

  test('a job is cancelled', async () => {
    server.fields['cancelJob'] = () => ({ job: job('CANCELLED', 1), userErrors: [] });
    expect((await fleet('agents', 'cancel', 'job-1', '--reason', 'wrong')).out).toContain('pause cancelled: 1 of 3');
    expect(server.calls.at(-1)?.variables).toEqual({ input: { id: 'job-1', reason: 'wrong' } });
  });
});
