import { AgentLost, Bus, type Seat } from '../../fleet/bus.ts';
import { Chance } from '../../fleet/chance.ts';
import { Host } from '../../fleet/host.ts';
import { TRADES } from '../../fleet/kinds/index.ts';
import { summarize } from '../../fleet/kinds/summarizer.ts';
import { KINDS, ROSTER, roster } from '../../fleet/roster.ts';
import type { Desk } from '../../fleet/task.ts';
import { Worker } from '../../fleet/worker.ts';
import { createFactory, singleton } from '../../sdk/factory/index.ts';
import { FleetLink, machine } from '../../sdk/index.ts';
import { ContractServer, Whole } from '../sdk/contract-server.ts';
import { until } from '../support/until.ts';

const seat = (name: string, over: Partial<Seat> = {}): Seat => ({
  name,
  kind: 'coder',
  isOpen: true,
  load: 0,
  do: async () => name,
  ...over,
});

describe('the demo’s parts', () => {
  test('the roster has 74 names, each once, in turns of the kinds', () => {
    const members = roster();
    expect(members).toHaveLength(74);
    expect(new Set(members.map(({ name }) => name)).size).toBe(74);
    expect(new Set(members.slice(0, 24).map(({ kind }) => kind.kind))).toEqual(new Set(KINDS));
    for (const kind of KINDS) expect(members.filter((each) => each.kind === TRADES[kind])).toHaveLength(ROSTER[kind]);
  });

  test('one seed, one course of things', () => {
    const course = (seed: number) => {
      const chance = new Chance(seed);
      return Array.from({ length: 50 }, () => [
        chance.next(),
        chance.between(1, 6),
        chance.pick(['a', 'b']),
        chance.happens(0.5),
      ]);
    };
    expect(course(74)).toEqual(course(74));
    expect(course(74)).not.toEqual(course(75));
    expect(course(1).every(([next, die]) => (next as number) < 1 && (die as number) >= 1 && (die as number) <= 6)).toBe(
      true,
    );
    expect(new Chance(1).pick([])).toBeUndefined();
  });

  test('a task goes to an open agent, once more when the first is lost, and fails where nobody is', async () => {
    const bus = new Bus(new Chance(3));
    const task = { jobId: 'j', goal: 'g' };
    await expect(bus.send('coder', task)).rejects.toThrow('no coder is there to take the task');
    bus.join(seat('closed', { isOpen: false }));
    await expect(bus.send('coder', task)).rejects.toBeInstanceOf(AgentLost);
    bus.join(seat('busy', { load: 9, do: () => Promise.reject(new AgentLost('busy is gone')) }));
    bus.join(seat('free'));
    for (let round = 0; round < 20; round++) expect(await bus.send('coder', task)).toBe('free');
    const broken = new Bus(new Chance(3));
    broken.join(seat('broken', { do: () => Promise.reject(new TypeError('no')) }));
    await expect(broken.send('coder', task)).rejects.toThrow(TypeError);
  });

  test('a summary is one line', async () => {
    const told: object[] = [];
    const desk = (goal: string) =>
      ({
        task: { jobId: 'j', goal },
        think: async () => {},
        span: { set: (attributes: object) => told.push(attributes) },
      }) as unknown as Desk;
    expect(await summarize(desk('short'), 80)).toBe('done: short');
    expect(await summarize(desk('x'.repeat(200)), 80)).toBe(`done: ${'x'.repeat(77)}…`);
    expect(told).toEqual([{ 'summary.length': 5 }, { 'summary.length': 78 }]);
  });
});

describe('the host of a killed agent', () => {
  const server = new ContractServer();
  const ended = new AbortController();
  const real = machine();
  // Two minutes of patience pass in a moment.
  const surroundings = { ...real, sleep: (ms: number, signal?: AbortSignal) => real.sleep(ms / 400, signal) };
  let link: FleetLink;
  let worker: Worker;

  beforeAll(async () => {
    await server.start();
    link = new FleetLink({ url: server.url, token: 'admin', surroundings, shared: true });
    const provide = { bus: singleton(() => new Bus(new Chance(1))), dice: singleton(() => () => new Chance(2)) };
    const factory = createFactory({ kinds: Object.values(TRADES), link, provide });
    worker = new Worker(await factory.create(TRADES.coder, 'coder-01'), surroundings);
    await until(() => worker.agent.state === 'RUNNING');
  });
  afterAll(async () => {
    await link.close(1_000);
    await server.stop();
  });
  const said = (text: string) => server.records('logs').some((line) => JSON.stringify(line).includes(text));

  test('it starts the agent itself when no order comes, and its tasks are lost meanwhile', async () => {
    server.fields['agentCommands'] = () =>
      new Whole({ status: 403, body: { errors: [{ message: 'not yours', extensions: { code: 'FORBIDDEN' } }] } });
    const task = worker.do({ jobId: 'j', goal: 'g' });
    const crashed = new Host(link, ended.signal).crash(worker);
    await expect(task).rejects.toBeInstanceOf(AgentLost);
    await crashed;
    expect(worker.agent.state).toBe('RUNNING');
    await until(() => said('the host lost the mailbox') && said('restart.by') && said('not yours'));
  });

  test('it leaves the agent down when the demo ends', async () => {
    const crashed = new Host(link, ended.signal).crash(worker);
    ended.abort();
    await crashed;
    expect(worker.agent.silent).toBe(true);
  });
});

describe('the demo’s process', () => {
  const server = new ContractServer();
  const before = { ...process.env };
  const start = () => jest.isolateModules(() => require('../../fleet/main.ts') as unknown);
  let exits: unknown[];

  beforeAll(() => server.start());
  beforeEach(() => {
    exits = [];
    jest.spyOn(process, 'exit').mockImplementation((code) => exits.push(code) as never);
    jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    Object.assign(process.env, { FLEET_URL: server.url });
    for (const name of ['FLEET_TOKEN', 'FLEET_DATA', 'FLEET_DEMO_SEED']) delete process.env[name];
  });
  afterEach(() => {
    jest.restoreAllMocks();
    for (const event of ['SIGTERM', 'SIGINT', 'message', 'disconnect']) process.removeAllListeners(event);
    process.env = { ...before };
  });
  afterAll(() => server.stop());

  test('without a token, or with a wrong one, it ends with 1 and one line', async () => {
    start();
    await until(() => exits.includes(1));
    expect(process.stderr.write).toHaveBeenCalledWith(
      'the demo fleet ended: FLEET_TOKEN must hold a token that may register agents\n',
    );
    process.env['FLEET_TOKEN'] = 'wrong';
    server.gate = () => ({
      status: 401,
      body: { errors: [{ message: 'unknown token', extensions: { code: 'UNAUTHENTICATED' } }] },
    });
    exits.length = 0;
    start();
    await until(() => exits.includes(1));
    server.gate = () => undefined;
  });

  test('it ends with 0 when its parent says so, having said farewell', async () => {
    process.env['FLEET_TOKEN'] = 'admin';
    start();
    await until(
      () =>
        server.agents.size === 74 &&
        [...server.agents.values()].every(({ beats }) => beats.some(({ state }) => state === 'RUNNING')),
    );
    process.emit('message', { stop: true }, undefined);
    process.emit('SIGTERM');
    await until(() => exits.includes(0));
    expect(
      [...server.agents.values()].filter(({ beats }) => beats.at(-1)?.['state'] === 'STOPPED').length,
    ).toBeGreaterThanOrEqual(73);
  });
});
