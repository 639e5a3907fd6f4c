import type { TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import {
  AgentsDriver,
  type MovableClock,
  movableClock,
  OPERATOR,
  startAgents,
  type TestAgent,
  VIEWER,
} from './support.ts';

const COMMANDS = `subscription ($agentId: ID!, $after: String) { agentCommands(agentId: $agentId, after: $after) {
  id cursor name arguments fence } }`;

const WAITING = 'query ($id: ID!) { agent(id: $id) { pendingCommands { id name issuedBy { id } } } }';

describe('a mailbox', () => {
  let house: TestHouse;
  let driver: AgentsDriver;
  let clock: MovableClock;
  beforeAll(async () => {
    clock = movableClock();
    house = await startAgents({ clock });
    driver = new AgentsDriver(house);
  });
  afterAll(() => house.stop());

  const send = async (agent: TestAgent, input: object = {}) =>
    (
      await driver.do(
        `mutation ($input: SendAgentCommandInput!) { sendAgentCommand(input: $input) {
           command { id cursor agentId name arguments fence issuedBy { id } completedAt outcome } userErrors { code field } auditEntry { id } } }`,
        { input: { agentId: agent.id, name: 'reindex', ...input } },
        { principal: OPERATOR },
      )
    ).sendAgentCommand;

  const complete = async (agent: TestAgent, command: { id: string; fence: string }, more: object = {}) =>
    (
      await driver.do(
        `mutation ($input: CompleteCommandInput!) { completeCommand(input: $input) {
           command { completedAt outcome } userErrors { code field } } }`,
        { input: { id: command.id, fence: command.fence, outcome: 'DONE', ...more } },
        { principal: agent.itself },
      )
    ).completeCommand;

  const listen = (agent: TestAgent, after: string | null = null, call = {}) =>
    driver.subscribe(COMMANDS, { agentId: agent.id, after }, { principal: agent.itself, ...call });

  const waiting = async (agent: TestAgent, principal = OPERATOR) =>
    (await driver.do(WAITING, { id: agent.id }, { principal })).agent.pendingCommands;

  test('a process that another took over from is heard, and given no mail by its beats, its stream, or a new one', async () => {
    const before = await driver.register();
    const old = { ...before, itself: { ...before.itself, incarnation: 1 } };
    await driver.beat(old);
    const live = await listen(old);
    await driver.register({ name: before.name });
    const now = { ...before, itself: { ...before.itself, incarnation: 2 } };
    const fresh = await listen(now);
    const { command } = await send(before);
    await until(() => live.errors.length > 0);
    expect(live.errors).toEqual([
      expect.objectContaining({ extensions: expect.objectContaining({ code: 'CONFLICT' }) }),
    ]);
    expect(live.payloads).toEqual([]);
    const again = await listen(old);
    await until(() => again.errors.length > 0);
    expect(again.payloads).toEqual([]);
    expect(await driver.beat(old)).toMatchObject({ commands: [], userErrors: [] });
    expect(await until(() => fresh.payloads[0])).toMatchObject({ id: command.id, fence: '2.1' });
    expect((await driver.beat(now)).commands).toEqual([expect.objectContaining({ id: command.id, fence: '2.1' })]);
    fresh.end();
  });

  test('a command is pushed at once, told with the beat until it is done, and then no more', async () => {
    const agent = await driver.register();
    await driver.beat(agent);
    const live = await listen(agent);
    const { command, userErrors } = await send(agent, { arguments: { shard: 3 } });
    expect({ command, userErrors }).toEqual({
      command: {
        id: command.id,
        cursor: command.cursor,
        agentId: agent.id,
        name: 'reindex',
        arguments: { shard: 3 },
        fence: '1.1',
        issuedBy: { id: 'operator' },
        completedAt: null,
        outcome: null,
      },
      userErrors: [],
    });
    await until(() => live.payloads.length);
    live.end();
    const { id, cursor, name, fence } = command;
    expect(live.payloads).toEqual([{ id, cursor, name, arguments: { shard: 3 }, fence }]);
    expect(live.ids).toEqual([cursor]);
    expect(await waiting(agent)).toEqual([{ id, name, issuedBy: { id: 'operator' } }]);
    expect(await waiting(agent, agent.itself)).toHaveLength(1);
    const asAnother = house.ask(WAITING, { id: agent.id }, { principal: VIEWER });
    expect(await asAnother).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    for (let beat = 0; beat < 2; beat += 1)
      expect((await driver.beat(agent)).commands).toEqual([expect.objectContaining({ id })]);
    expect(await complete(agent, command, { result: { rows: 7 } })).toEqual({
      command: { completedAt: expect.any(String), outcome: 'DONE' },
      userErrors: [],
    });
    expect((await driver.beat(agent)).commands).toEqual([]);
    expect(await waiting(agent)).toEqual([]);
    const actions = (await driver.entries(agent.id)).map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining(['sendAgentCommand', 'completeCommand']));
    const { events } = await driver.agent(agent.id, 'events(first: 1) { nodes { name detail } }');
    expect(events.nodes).toEqual([
      { name: 'command.completed', detail: { id, command: 'reindex', outcome: 'DONE', result: { rows: 7 } } },
    ]);
  });

  test('who resumes after a cursor misses nothing, in order; who comes first gets all that waits', async () => {
    const agent = await driver.register();
    const sent = [];
    for (let at = 0; at < 120; at += 1) sent.push((await send(agent, { arguments: { at } })).command);
    const whole = await listen(agent);
    const rest = await listen(agent, sent[99].cursor);
    const last = await listen(agent, null, { lastEventId: sent[118].cursor });
    await until(() => whole.payloads.length >= 120 && rest.payloads.length >= 20 && last.payloads.length);
    for (const live of [whole, rest, last]) live.end();
    const ids = (live: { payloads: { id: string }[] }) => live.payloads.map(({ id }) => id);
    expect(ids(whole)).toEqual(sent.map(({ id }) => id));
    expect(ids(rest)).toEqual(sent.slice(100).map(({ id }) => id));
    expect(ids(last)).toEqual([sent[119].id]);
  });

  test('a mailbox is its agent’s own', async () => {
    const [agent, other] = [await driver.register(), await driver.register()];
    const stranger = await listen(agent, null, { principal: other.itself });
    const { command } = await send(other);
    const foreign = await listen(agent, command.cursor);
    const nobody = await driver.subscribe(COMMANDS, {
      agentId: Buffer.from('Agent:00000000-0000-7000-8000-000000000000').toString('base64url'),
    });
    await until(() => stranger.errors.length && foreign.errors.length && nobody.errors.length);
    const codes = [stranger, foreign, nobody].map(({ errors }) => errors[0].extensions.code);
    expect(codes).toEqual(['FORBIDDEN', 'BAD_CURSOR', 'NOT_FOUND']);
    expect((await complete(agent, command)).userErrors).toEqual([{ code: 'FORBIDDEN', field: null }]);
  });

  test('only the process whose command it is completes it, once', async () => {
    const agent = await driver.register();
    await driver.beat(agent);
    const { command } = await send(agent);
    expect((await complete(agent, command, { outcome: 'EXPIRED' })).userErrors).toEqual([
      { code: 'BAD_INPUT', field: ['outcome'] },
    ]);
    expect((await complete(agent, command, { result: 'x'.repeat(64_001) })).userErrors).toEqual([
      { code: 'BAD_INPUT', field: ['result'] },
    ]);
    await driver.register({ name: agent.name });
    expect((await complete(agent, command)).userErrors).toEqual([{ code: 'CONFLICT', field: ['fence'] }]);
    const [mine] = (await driver.beat(agent)).commands;
    expect(mine).toMatchObject({ id: command.id, fence: '2.1' });
    expect((await complete(agent, mine, { outcome: 'FAILED' })).command.outcome).toBe('FAILED');
    expect((await complete(agent, mine)).userErrors).toEqual([{ code: 'CONFLICT', field: null }]);
    expect((await complete(agent, { id: agent.id, fence: 'x' })).userErrors).toEqual([
      { code: 'BAD_INPUT', field: ['id'] },
    ]);
    const none = Buffer.from('AgentCommand:00000000-0000-7000-8000-000000000000').toString('base64url');
    expect((await complete(agent, { id: none, fence: 'x' })).userErrors).toEqual([
      { code: 'NOT_FOUND', field: ['id'] },
    ]);
  });

  test('a command that nobody took in time expires', async () => {
    const agent = await driver.register();
    await driver.beat(agent);
    const { command } = await send(agent, { expiresAt: new Date(clock.nowMs() + 3_000_000).toISOString() });
    expect((await driver.beat(agent)).commands).toHaveLength(1);
    clock.skip(3_000_001);
    expect((await driver.beat(agent)).commands.map(({ name }: { name: string }) => name)).not.toContain('reindex');
    expect((await complete(agent, command)).userErrors[0].code).toBe('CONFLICT');
    const [row] = await until(async () => {
      const rows = await house.runtime.database.query(
        `select outcome from command where name = 'reindex' and outcome = 'EXPIRED'`,
      );
      return rows.length && rows;
    });
    expect(row).toEqual({ outcome: 'EXPIRED' });
  });

  test('a restart that is done counts, and what was before it is forgiven', async () => {
    const agent = await driver.register();
    await driver.beat(agent, { stats: { requests: 10, errors: 10 } });
    expect((await driver.agent(agent.id, 'health { score }')).health.score).toBe(40);
    await driver.act('restart', agent.id);
    const [restart] = (await driver.beat(agent)).commands;
    expect(restart.name).toBe('restart');
    await complete(agent, restart);
    await driver.beat(agent);
    expect(await driver.agent(agent.id, 'restarts health { score }')).toEqual({ restarts: 1, health: { score: 96 } });
  });

  test('what cannot be sent is refused', async () => {
    const agent = await driver.register();
    const refusal = async (input: object) => (await send(agent, input)).userErrors[0];
    expect(await refusal({ name: 'no blanks' })).toEqual({ code: 'BAD_INPUT', field: ['name'] });
    expect(await refusal({ arguments: 'x'.repeat(64_001) })).toEqual({ code: 'BAD_INPUT', field: ['arguments'] });
    expect(await refusal({ expiresAt: '2001-01-01T00:00:00Z' })).toEqual({ code: 'BAD_INPUT', field: ['expiresAt'] });
    await driver.act('quarantine', agent.id);
    expect(await refusal({})).toEqual({ code: 'CONFLICT', field: null });
    await driver.act('deregister', agent.id);
    expect(await refusal({})).toEqual({ code: 'NOT_FOUND', field: ['agentId'] });
  });
});
