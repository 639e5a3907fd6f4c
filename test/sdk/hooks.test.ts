import { type HookReport, Hooks } from '../../sdk/agent/hooks.ts';
import { Story } from '../../sdk/agent/story.ts';
import { type Agent, CommandRefused, connect, HOOKS, type HookName, machine } from '../../sdk/index.ts';
import { until } from '../support/until.ts';
import { ContractServer, command, Whole } from './contract-server.ts';

type Json = Record<string, unknown>;

/** A clock that jumps over every sleep, unless what it limits ends first. */
function jumping() {
  let nowMs = 0;
  const sleep = async (ms: number, signal?: AbortSignal) => {
    await new Promise(setImmediate);
    if (!signal?.aborted) nowMs += ms;
  };
  return { ...machine(), nowMs: () => nowMs, random: () => 0.5, sleep };
}

describe('hooks', () => {
  const reports: [HookName, HookReport, unknown?][] = [];
  const hooks = () => new Hooks(jumping(), (...report) => void reports.push(report));
  beforeEach(() => {
    reports.length = 0;
  });

  test('run in the order they were added, those after a stop in the reverse; each gets what it is about', async () => {
    const order: string[] = [];
    const all = hooks();
    for (const name of ['beforeStart', 'afterStop'] as const)
      for (const number of [1, 2, 3]) all.add(name, ({ hook }) => void order.push(`${hook} ${number}`));
    await all.run('beforeStart');
    await all.run('afterStop');
    expect(order).toEqual([1, 2, 3].map((at) => `beforeStart ${at}`).concat([3, 2, 1].map((at) => `afterStop ${at}`)));
    let seen: unknown;
    all.add('onConfig', (context) => {
      seen = context;
    });
    await all.run('onConfig', { config: { depth: 1 }, configVersion: 2 });
    expect(seen).toMatchObject({ hook: 'onConfig', config: { depth: 1 }, configVersion: 2 });
    expect(reports).toHaveLength(7);
  });

  test('one that fails ends what it belongs to, and those behind it do not run', async () => {
    const all = hooks();
    const error = new Error('Bearer plantedplanted is no disk');
    let ran = false;
    all.add('beforeStart', () => {
      throw error;
    });
    all.add('beforeStart', () => {
      ran = true;
    });
    await expect(all.run('beforeStart')).rejects.toBe(error);
    expect(ran).toBe(false);
    expect(reports).toEqual([
      ['beforeStart', { durationMs: 0, outcome: 'failed', error: '[redacted] is no disk' }, undefined],
    ]);
  });

  test('what comes after is ignored when it fails, unless it says otherwise; the failure is told', async () => {
    const all = hooks();
    const error = new Error('no');
    const fail = () => Promise.reject(error);
    all.add('afterStart', fail);
    all.add('onError', fail);
    await all.run('afterStart');
    await all.run('onError');
    expect(reports.map(([, , ignored]) => ignored)).toEqual([error, error]);
    all.add('afterStart', fail, { onFailure: 'fail' });
    await expect(all.run('afterStart')).rejects.toBe(error);
  });

  test('one is tried again as often as it says, and told how often', async () => {
    const all = hooks();
    let attempts = 0;
    const third = () => {
      if (++attempts < 3) throw new Error('not yet');
    };
    all.add('beforeResume', third, { onFailure: { retry: 2 } });
    await all.run('beforeResume');
    expect(reports[0]?.[1]).toMatchObject({ outcome: 'done', attempts: 3 });
    attempts = -1;
    await expect(all.run('beforeResume')).rejects.toThrow('not yet');
    expect(reports[1]?.[1]).toMatchObject({ outcome: 'failed', attempts: 3, error: 'not yet' });
  });

  test('one that takes longer than its time fails, is told so, and is let down gently', async () => {
    const all = hooks();
    let aborted = false;
    const endless = ({ signal }: { signal: AbortSignal }) =>
      new Promise<void>((_, reject) =>
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(new Error('too late to count'));
        }),
      );
    all.add('beforePause', endless);
    await expect(all.run('beforePause')).rejects.toThrow('beforePause took longer than 10000 ms');
    expect(reports[0]?.[1]).toEqual({
      durationMs: 10_000,
      outcome: 'timedOut',
      error: 'beforePause took longer than 10000 ms',
    });
    expect(aborted).toBe(true);
    all.add('afterPause', endless, { timeoutMs: 5 });
    await all.run('afterPause');
    expect(reports[1]?.[1]).toMatchObject({ durationMs: 5, outcome: 'timedOut' });
    all.add('beforeStop', () => new Promise((done) => setTimeout(done, 5)), { timeoutMs: 0 });
    await all.run('beforeStop');
    expect(reports[2]?.[1]).toMatchObject({ outcome: 'done' });
  });

  test('what waits to be told is bounded, in order, and forgotten when it was taken', () => {
    const story = new Story({ ...jumping(), random: Math.random });
    for (let at = 0; at < 600; at++) story.add('own.a', { at });
    expect([story.length, story.dropped]).toEqual([512, 88]);
    const first = story.next();
    expect(first).toHaveLength(64);
    expect(new Set(first.map(({ occurredAt }) => occurredAt)).size).toBe(64);
    story.taken(first);
    expect(story.next()[0]?.detail).toEqual({ at: 64 });
    expect(() => story.add('own.b', { text: 'ä'.repeat(1_000) })).toThrow('the detail of own.b is too long');
    story.forget();
    expect(story.next()).toEqual([]);
  });
});

describe('the hooks of an agent', () => {
  const server = new ContractServer();
  let agent: Agent;
  const fired: string[] = [];
  const joined = async () => {
    agent = await connect({ url: server.url, token: 'enrol', name: 'scout-1', kind: 'scout', version: '1.0.0' });
    for (const name of HOOKS) agent.hook(name, () => void fired.push(name));
  };
  const beats = () => server.agent('scout-1').beats;
  const told = () => beats().flatMap(({ events }) => (events as Json[] | undefined) ?? []);
  const ended = (id: string) => until(() => server.completed.find((each) => each['id'] === id));
  const DESIRED: Record<string, string> = { pause: 'PAUSED', resume: 'RUNNING', stop: 'STOPPED' };
  const ask = (name: string, args: Json = {}, id = `command-${name}`) => {
    server.agent('scout-1').desiredState = DESIRED[name] ?? server.agent('scout-1').desiredState;
    server.agent('scout-1').commands.push(command(agent.id, name, args, id));
    return ended(id);
  };

  beforeAll(() => server.start());
  beforeEach(joined);
  afterEach(async () => {
    server.gate = () => undefined;
    await agent.close();
    server.agents.clear();
    server.completed.length = 0;
    fired.length = 0;
  });
  afterAll(() => server.stop());

  test('each runs at its point, and is in a beat once', async () => {
    agent.on('start', () => void fired.push('START'));
    agent.onCommand('look', () => void fired.push('LOOK'));
    agent.onConfig(() => void fired.push('CONFIG'));
    agent.onUpgrade(() => void fired.push('UPGRADE'));
    await until(() => agent.state === 'RUNNING');
    await ask('pause');
    await ask('resume');
    await ask('look');
    Object.assign(server.agent('scout-1'), { config: { depth: 2 }, configVersion: 2 });
    await until(() => agent.config['depth'] === 2);
    await ask('upgrade', { version: '1.1.0', config: { depth: 3 }, configVersion: 3 });
    await ask('restart');
    await ask('stop');
    expect(fired).toEqual([
      ...['beforeStart', 'START', 'afterStart', 'beforePause', 'afterPause', 'beforeResume', 'afterResume'],
      ...['beforeCommand', 'onCommand', 'LOOK', 'afterCommand'],
      ...['beforeConfig', 'onConfig', 'CONFIG', 'afterConfig', 'beforeMigrate', 'UPGRADE', 'afterMigrate'],
      ...['beforeRestart', 'beforeStop', 'afterStop', 'beforeStart', 'START', 'afterStart', 'afterRestart'],
      ...['beforeStop', 'afterStop'],
    ]);
    expect(agent.definition.version).toBe('1.1.0');
    expect(agent.config).toEqual({ depth: 3 });
    expect(beats().at(-1)).toMatchObject({ version: '1.1.0', configVersion: 3 });
    await until(() => told().length >= 23);
    const hooks = fired.filter((name) => (HOOKS as readonly string[]).includes(name));
    expect(told().map(({ name }) => name)).toEqual(
      hooks.flatMap((name) => (name === 'onConfig' ? ['hook.onConfig', 'hook.onConfig'] : [`hook.${name}`])),
    );
    expect(told().every(({ detail }) => (detail as Json)['outcome'] === 'done')).toBe(true);
    expect(new Set(told().map(({ id }) => id)).size).toBe(told().length);
  });

  test('the hook for errors is told what failed; what is refused is no error', async () => {
    const errors: unknown[] = [];
    agent.hook('onError', ({ what, error }) => void errors.push([what, (error as Error).message]));
    agent.onCommand('fail', () => {
      throw new Error('cannot');
    });
    agent.onCommand('decline', () => {
      throw new CommandRefused('will not');
    });
    agent.hook('beforeCommand', ({ command: asked }) => {
      if (asked?.arguments && (asked.arguments as Json)['veto']) throw new CommandRefused('vetoed');
    });
    await ask('fail');
    await ask('decline');
    expect(await ask('fail', { veto: true }, 'vetoed')).toMatchObject({ outcome: 'REFUSED' });
    expect(errors).toEqual([['command fail failed', 'cannot']]);
    expect(await ask('upgrade', { version: '2.0.0' })).toMatchObject({
      outcome: 'REFUSED',
      result: { message: 'this agent cannot change its version' },
    });
    agent.onUpgrade(() => Promise.reject(new Error('no such version')));
    expect(await ask('upgrade', { version: '' }, 'nameless')).toMatchObject({ outcome: 'REFUSED' });
    expect(await ask('upgrade', { version: '9.0.0' }, 'failed')).toMatchObject({ outcome: 'FAILED' });
    expect(agent.definition.version).toBe('1.0.0');
    expect(errors.at(-1)).toEqual(['the upgrade to 9.0.0 failed', 'no such version']);
    agent.hook('beforeRestart', () => Promise.reject(new Error('not now')));
    expect(await ask('restart')).toMatchObject({ outcome: 'FAILED', result: { message: 'not now' } });
    expect(agent.state).toBe('RUNNING');
  });

  test('a configuration that is refused again and again is told once', async () => {
    agent.hook('beforeConfig', () => Promise.reject(new Error('too deep')));
    const refused = () => told().filter(({ detail }) => (detail as Json)['error'] === 'too deep');
    Object.assign(server.agent('scout-1'), { config: { depth: 99 }, configVersion: 2 });
    await until(() => fired.filter((name) => name === 'onError').length >= 3);
    expect(refused()).toHaveLength(1);
    expect(agent.config).toEqual({});
  });

  test('an agent tells own lines; a name or detail that no platform takes is a mistake', async () => {
    agent.event('checkpoint', { step: 3 });
    await until(() => told().some(({ name }) => name === 'own.checkpoint'));
    expect(() => agent.event('no blanks', {})).toThrow(TypeError);
    expect(() => agent.event('long', { text: 'x'.repeat(3_000) })).toThrow('too long');
  });

  test('what was not answered is told again with the next beat', async () => {
    let cuts = 2;
    const attempts: string[] = [];
    server.gate = (_, body) => {
      if (!body.includes('own.kept')) return undefined;
      attempts.push(/"id":"(\w+)","occurredAt":"[^"]+","name":"own.kept"/.exec(body)?.[1] as string);
      return cuts-- > 0 ? 'cut' : undefined;
    };
    agent.event('kept');
    await until(() => told().some(({ name }) => name === 'own.kept'));
    expect(attempts.length).toBeGreaterThanOrEqual(3);
    expect(new Set(attempts).size).toBe(1);
  });

  test('a platform that is older than events gets beats without, from the first refusal on', async () => {
    await until(() => agent.state === 'RUNNING');
    const refusals: string[] = [];
    server.gate = (_, body) => {
      if (!body.includes('"events"')) return undefined;
      refusals.push(body);
      const message = 'Variable "$input" got invalid value; Field "events" is not defined by type "AgentBeatInput".';
      return { status: 400, body: { errors: [{ message, extensions: { code: 'BAD_INPUT' } }] } };
    };
    agent.event('lost');
    const before = beats().length;
    await until(() => refusals.length === 1 && beats().length > before);
    agent.event('lost');
    await ask('pause');
    await until(() => beats().at(-1)?.['state'] === 'PAUSED');
    expect(refusals).toHaveLength(1);
  });

  test('a beat that is refused for something else is no reason to go without', async () => {
    const field = server.fields['agentBeat'];
    let refusals = 1;
    server.fields['agentBeat'] = (call) =>
      refusals-- > 0
        ? new Whole({ status: 503, body: { errors: [{ message: 'away', extensions: { retryable: true } }] } })
        : field?.(call);
    agent.event('kept');
    await until(() => told().some(({ name }) => name === 'own.kept'));
    if (field) server.fields['agentBeat'] = field;
  });
});
