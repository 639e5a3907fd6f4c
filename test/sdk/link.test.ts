import { type Agent, CommandRefused, connect, connectMany, FleetFailure } from '../../sdk/index.ts';
import { until } from '../support/until.ts';
import { ContractServer, command, type Field, Whole } from './contract-server.ts';

const DEFINITION = { name: 'scout-1', kind: 'scout', version: '1.0.0', labels: { team: 'atlas' } };

describe('an agent and its platform', () => {
  const server = new ContractServer();
  const open: { close(): Promise<void> }[] = [];
  const joined = async (over: object = {}): Promise<Agent> => {
    const agent = await connect({
      url: server.url,
      token: 'enrol',
      outbox: { flushEveryMs: 10 },
      ...DEFINITION,
      ...over,
    });
    open.push(agent);
    return agent;
  };
  const beats = () => server.agent('scout-1').beats;
  const states = () => [...new Set(beats().map((beat) => beat['state']))];

  beforeAll(() => server.start());
  afterAll(() => server.stop());
  afterEach(async () => {
    server.gate = () => undefined;
    for (const each of open.splice(0)) await each.close();
    server.agents.clear();
    server.completed.length = 0;
    server.bodies.length = 0;
    server.calls.length = 0;
    server.beatEveryMs = 50;
  });

  test('it registers with the given token, then speaks with its own, and runs', async () => {
    const agent = await joined();
    await until(() => agent.state === 'RUNNING' && states().includes('RUNNING'));
    const register = server.calls.find(({ query }) => query.includes('registerAgent'));
    expect(register?.token).toBe('enrol');
    expect(register?.variables['input']).toMatchObject(DEFINITION);
    expect(
      server.calls
        .filter(({ query }) => query.includes('agentBeat('))
        .every(({ token }) => token === agent.identity.token),
    ).toBe(true);
    const sequences = beats().map((beat) => beat['sequence'] as number);
    expect([...sequences].sort((a, b) => a - b)).toEqual(sequences);
    expect(new Set(sequences).size).toBe(sequences.length);
  });

  test('what it was told to be, it becomes, by way of its hooks', async () => {
    const agent = await joined();
    const steps: string[] = [];
    for (const step of ['start', 'pause', 'resume', 'stop'] as const) agent.on(step, () => void steps.push(step));
    for (const desired of ['RUNNING', 'PAUSED', 'RUNNING', 'QUARANTINED', 'RUNNING', 'STOPPED', 'RUNNING']) {
      server.agent('scout-1').desiredState = desired;
      await until(() => beats().at(-1)?.['state'] === desired);
    }
    expect(steps).toEqual(['start', 'pause', 'resume', 'pause', 'resume', 'stop', 'start']);
  });

  test('a hook that throws leaves it FAILED, and a restart heals it', async () => {
    const agent = await joined();
    let broken = true;
    agent.on('start', () => {
      if (broken) throw new Error('no disk');
    });
    await until(() => beats().at(-1)?.['state'] === 'FAILED');
    broken = false;
    server.agent('scout-1').commands.push(command(agent.id, 'restart'));
    await until(() => beats().at(-1)?.['state'] === 'RUNNING');
    expect(server.completed).toMatchObject([
      { id: 'command-restart', fence: 'fence-command-restart', outcome: 'DONE', result: { state: 'RUNNING' } },
    ]);
    broken = true;
    server.agent('scout-1').commands.push(command(agent.id, 'restart', {}, 'again'));
    await until(() => server.completed.length === 2);
    expect(server.completed[1]).toMatchObject({
      id: 'again',
      outcome: 'FAILED',
      result: { message: 'the start failed' },
    });
  });

  test('a command that comes both ways is done once, in its order, and its end is told', async () => {
    const agent = await joined();
    const done: unknown[] = [];
    agent.onCommand('greet', ({ whom }) => {
      done.push(whom);
      return { greeted: whom };
    });
    agent.onCommand('fail', () => {
      throw new Error('cannot');
    });
    agent.onCommand('decline', () => {
      throw new CommandRefused('will not');
    });
    await until(() => server.streams.size > 0);
    const first = command(agent.id, 'greet', { whom: 'Ada' });
    server.agent('scout-1').commands.push(first);
    server.push(`event: next\nid: ${first['cursor']}\ndata: ${JSON.stringify({ data: { agentCommands: first } })}\n\n`);
    for (const name of ['fail', 'decline', 'unheard-of'])
      server.agent('scout-1').commands.push(command(agent.id, name));
    await until(() => server.completed.length >= 4);
    expect(done).toEqual(['Ada']);
    expect(server.completed.map(({ id, outcome, result }) => [id, outcome, result])).toEqual([
      ['command-greet', 'DONE', { greeted: 'Ada' }],
      ['command-fail', 'FAILED', { message: 'cannot' }],
      ['command-decline', 'REFUSED', { message: 'will not' }],
      ['command-unheard-of', 'REFUSED', { message: 'this agent knows no command unheard-of' }],
    ]);
    expect(server.completed[0]?.['clientMutationId']).toBe('complete-command-greet-fence-command-greet');
  });

  test('the end of a command is told until the platform takes it, and a refusal is logged', async () => {
    const agent = await joined();
    agent.onCommand('greet', () => 'hello');
    let refusals = 2;
    server.gate = (_, body) => (body.includes('completeCommand') && refusals-- > 0 ? 'cut' : undefined);
    server.agent('scout-1').commands.push(command(agent.id, 'greet'));
    await until(() => server.completed.length === 1);
    const field = server.fields['completeCommand'] as Field;
    server.fields['completeCommand'] = () => ({ userErrors: [{ code: 'CONFLICT', message: 'the fence is old' }] });
    server.agent('scout-1').commands.push(command(agent.id, 'greet', {}, 'late'));
    await until(() => server.records('logs').some((line) => JSON.stringify(line).includes('the fence is old')));
    server.fields['completeCommand'] = field;
  });

  test('a new configuration reaches the program before it counts as taken over', async () => {
    const agent = await joined({ config: { depth: 1 } });
    const told: unknown[] = [];
    agent.onConfig((config, version) => void told.push([config, version]));
    Object.assign(server.agent('scout-1'), { config: { depth: 2 }, configVersion: 2 });
    await until(() => beats().at(-1)?.['configVersion'] === 2);
    expect(told).toEqual([[{ depth: 2 }, 2]]);
    expect(agent.config).toEqual({ depth: 2 });
    agent.onConfig(() => {
      throw new Error('depth must be less');
    });
    Object.assign(server.agent('scout-1'), { config: { depth: 9 }, configVersion: 3 });
    await until(() => server.records('logs').some((line) => JSON.stringify(line).includes('depth must be less')));
    expect(agent.config).toEqual({ depth: 2 });
    agent.onConfig(() => {});
    await until(() => agent.config['depth'] === 9);
    Object.assign(server.agent('scout-1'), { config: { depth: 10 }, configVersion: 4 });
    server.agent('scout-1').commands.push(command(agent.id, 'config'));
    await until(() => server.completed.length === 1);
    expect(server.completed[0]).toMatchObject({ outcome: 'DONE', result: { configVersion: 4 } });
  });

  test('checks and statistics go with the beat', async () => {
    const agent = await joined();
    agent.check('disk', () => ({ ok: false, message: 'full' }));
    agent.queue(3);
    await agent.task('good', {}, () => 'done');
    await agent.task('bad', {}, () => Promise.reject(new Error('no'))).catch(() => undefined);
    await agent.task('flagged', {}, (span) => span.fail('half done'));
    const told = await until(() => beats().find((beat) => (beat['stats'] as { requests: number }).requests > 0));
    expect(told).toMatchObject({
      checks: [{ name: 'disk', ok: false, message: 'full' }],
      stats: { requests: 3, errors: 2, queue: 3 },
    });
    expect((told['stats'] as { latencyMs: number }).latencyMs).toBeGreaterThanOrEqual(0);
  });

  test('a name that is another’s and a token that is unknown are refused', async () => {
    const field = server.fields['registerAgent'] as Field;
    server.fields['registerAgent'] = () => ({
      agent: null,
      token: null,
      userErrors: [{ code: 'CONFLICT', message: 'the name is taken' }],
    });
    await expect(joined()).rejects.toMatchObject({ code: 'CONFLICT', message: 'the name is taken' });
    server.fields['registerAgent'] = () =>
      new Whole({
        status: 401,
        body: { errors: [{ message: 'who are you', extensions: { code: 'UNAUTHENTICATED' } }] },
      });
    await expect(joined()).rejects.toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
    await expect(joined()).rejects.toBeInstanceOf(FleetFailure);
    server.fields['registerAgent'] = field;
  });

  test('a token whose showing was lost is asked for anew', async () => {
    const field = server.fields['registerAgent'] as Field;
    let lost = 1;
    server.fields['registerAgent'] = (call) => {
      const answer = field(call);
      return lost-- > 0
        ? new Whole({ status: 503, body: { errors: [] } })
        : { ...(answer as object), agent: null, userErrors: [{ code: 'SECRET_ALREADY_SHOWN', message: 'once' }] };
    };
    const agent = await joined();
    expect(agent.identity.token).toBe(server.agent('scout-1').token);
    server.fields['registerAgent'] = field;
  });

  test('a platform that forgot the agent is registered at again', async () => {
    const agent = await joined();
    await until(() => agent.state === 'RUNNING');
    const before = agent.identity.token;
    server.gate = (_, __, token) =>
      token === before
        ? { status: 401, body: { errors: [{ message: 'unknown', extensions: { code: 'UNAUTHENTICATED' } }] } }
        : undefined;
    agent.log.info('still here');
    await until(() => agent.identity.token !== before);
    await until(() => server.records('logs').some((line) => JSON.stringify(line).includes('still here')));
  });

  test('a deregistered agent stops its work', async () => {
    const agent = await joined();
    await until(() => agent.state === 'RUNNING');
    let stopped = false;
    agent.on('stop', () => {
      stopped = true;
    });
    server.agents.clear();
    await until(() => agent.state === 'RETIRED' && stopped);
  });

  test('closing says farewell and sends what waits', async () => {
    const agent = await joined({ outbox: { flushEveryMs: 60_000 } });
    await until(() => agent.state === 'RUNNING');
    agent.log.info('last words');
    agent.counter('jobs_total');
    await agent.close();
    expect(beats().at(-1)?.['state']).toBe('STOPPED');
    expect(server.records('logs')).toMatchObject([{ body: { stringValue: 'last words' } }]);
    expect(server.records('metrics').map(({ name }) => name)).toEqual(['jobs_total']);
    await agent.close();
  });

  test('a silent agent is heard no more until it wakes', async () => {
    const agent = await joined();
    await until(() => agent.state === 'RUNNING');
    agent.silence();
    const quiet = beats().length;
    await until(() => beats().length <= quiet + 1);
    agent.deliver(command(agent.id, 'restart', {}, 'unheard') as never);
    expect(server.completed).toEqual([]);
    await agent.wake(command(agent.id, 'restart') as never);
    await until(() => beats().at(-1)?.['state'] === 'RUNNING');
    expect(server.completed).toMatchObject([{ id: 'command-restart', outcome: 'DONE' }]);
    agent.silence();
    await agent.wake();
    expect(agent.state).toBe('RUNNING');
  });

  test('many agents share one request for their beats and one body for their lines', async () => {
    const definitions = Array.from({ length: 9 }, (_, number) => ({ ...DEFINITION, name: `scout-${number}` }));
    const { link, agents } = await connectMany(
      { url: server.url, token: 'enrol', outbox: { flushEveryMs: 30 } },
      definitions,
    );
    open.push({ close: () => link.close(1_000) });
    expect(agents.map(({ name }) => name)).toEqual(definitions.map(({ name }) => name));
    await until(() => agents.every(({ state }) => state === 'RUNNING'));
    for (const agent of agents) agent.log.info('here');
    expect(await link.flush()).toBe(true);
    expect(link.counts).toMatchObject({ sent: 9, dropped: 0, rejected: 0, waiting: 0 });
    expect(server.bodies).toHaveLength(1);
    expect(server.bodies[0]?.token).toBe('enrol');
    expect(server.calls.some(({ query }) => query.includes('agentBeat('))).toBe(false);
    expect(
      server.calls.some(({ variables }) => (variables['input'] as { beats?: unknown[] })?.beats?.length === 9),
    ).toBe(true);
    await (agents[0] as Agent).close();
    expect(link.agents).toHaveLength(8);
  });

  test('a fleet that is refused closes what it opened', async () => {
    const field = server.fields['registerAgent'] as Field;
    server.fields['registerAgent'] = () => ({
      agent: null,
      token: null,
      userErrors: [{ code: 'CONFLICT', message: 'taken' }],
    });
    await expect(connectMany({ url: server.url, token: 'enrol' }, [DEFINITION])).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    server.fields['registerAgent'] = field;
  });

  test('the mailbox’s words for its life are obeyed at once', async () => {
    const agent = await joined();
    await until(() => agent.state === 'RUNNING');
    const { commands } = server.agent('scout-1');
    Object.assign(server.agent('scout-1'), { desiredState: 'PAUSED' });
    commands.push(command(agent.id, 'pause'));
    await until(() => server.completed.length === 1);
    expect(server.completed[0]).toMatchObject({ outcome: 'DONE', result: { state: 'PAUSED' } });
    Object.assign(server.agent('scout-1'), { desiredState: 'STOPPED' });
    await until(() => agent.state === 'STOPPED');
    agent.on('start', () => {
      throw new Error('no disk');
    });
    Object.assign(server.agent('scout-1'), { desiredState: 'RUNNING', commands: [command(agent.id, 'start')] });
    await until(() => server.completed.length === 2);
    expect(server.completed[1]).toMatchObject({ outcome: 'FAILED', result: { message: 'the agent is FAILED' } });
  });

  test('a command whose fence changed is told again, not done again', async () => {
    const agent = await joined();
    let done = 0;
    agent.onCommand('count', () => ++done);
    const first = command(agent.id, 'count');
    agent.deliver(first as never);
    await until(() => server.completed.length === 1);
    agent.deliver({ ...first, fence: 'newer' } as never);
    agent.deliver({ ...first, fence: 'newer' } as never);
    await until(() => server.completed.length === 2);
    expect(server.completed.map(({ fence, result }) => [fence, result])).toEqual([
      ['fence-command-count', 1],
      ['newer', 1],
    ]);
    expect(done).toBe(1);
  });

  test('a command to another agent carries the trace it was sent in', async () => {
    const agent = await joined();
    const sent: { arguments: { traceparent?: string }; clientMutationId: string }[] = [];
    server.fields['sendAgentCommand'] = ({ variables }) => {
      sent.push(variables['input'] as never);
      return { command: { id: 'command-9' }, userErrors: [] };
    };
    await agent.span('delegate', {}, () => agent.send(agent.id, 'fetch', { page: 2 }));
    expect(await agent.send(agent.id, 'fetch')).toBe('command-9');
    expect(sent.map((input) => input.arguments)).toEqual([{ page: 2, traceparent: expect.stringMatching(/^00-/) }, {}]);
    agent.onCommand('fetch', () => 'fetched');
    agent.deliver(command(agent.id, 'fetch', sent[0]?.arguments) as never);
    await until(() => server.completed.length === 1);
    await until(() => server.records('traces').length === 2);
    const [delegated, fetched] = server.records('traces');
    expect(fetched).toMatchObject({
      name: 'command fetch',
      traceId: delegated?.['traceId'],
      parentSpanId: delegated?.['spanId'],
    });
    server.fields['sendAgentCommand'] = () => ({
      command: null,
      userErrors: [{ code: 'NOT_FOUND', message: 'no such agent' }],
    });
    await expect(agent.send('nobody', 'fetch')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('beats go on through a platform that fails, and a refused beat is told in the log', async () => {
    const agent = await joined();
    let failures = 3;
    server.gate = (_, body) => (body.includes('agentBeat(') && failures-- > 0 ? { status: 503, body: '' } : undefined);
    await until(() => failures < 0 && agent.state === 'RUNNING');
    const field = server.fields['agentBeat'] as Field;
    server.fields['agentBeat'] = (call) => ({
      ...(field(call) as object),
      userErrors: [{ code: 'CONFLICT', message: 'beats rise' }],
    });
    await until(() => server.records('logs').some((line) => JSON.stringify(line).includes('beats rise')));
    server.fields['agentBeat'] = field;
  });

  test('a stream of commands that ends for good is opened again later; beats bring what it missed', async () => {
    const field = server.fields['agentCommands'];
    server.fields['agentCommands'] = () =>
      new Whole({ status: 403, body: { errors: [{ message: 'not yours', extensions: { code: 'FORBIDDEN' } }] } });
    const agent = await joined();
    await until(() => server.records('logs').some((line) => JSON.stringify(line).includes('not yours')));
    agent.onCommand('greet', () => 'hello');
    server.agent('scout-1').commands.push(command(agent.id, 'greet'));
    await until(() => server.completed.length === 1);
    if (!field) delete server.fields['agentCommands'];
  });

  test('an agent that is gone while it registers is told so', async () => {
    const register = server.fields['registerAgent'] as Field;
    server.fields['registerAgent'] = () => ({
      agent: null,
      token: null,
      userErrors: [{ code: 'SECRET_ALREADY_SHOWN', message: 'once' }],
    });
    await expect(joined()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    server.fields['registerAgent'] = register;
    const rotate = server.fields['rotateAgentToken'] as Field;
    await (await joined()).close();
    server.fields['rotateAgentToken'] = () => ({
      agent: null,
      token: null,
      userErrors: [{ code: 'FORBIDDEN', message: 'not yours' }],
    });
    await expect(joined()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    server.fields['rotateAgentToken'] = () => ({ agent: null, token: null, userErrors: [] });
    await expect(joined()).rejects.toMatchObject({ code: 'INTERNAL' });
    server.fields['rotateAgentToken'] = rotate;
  });
});
