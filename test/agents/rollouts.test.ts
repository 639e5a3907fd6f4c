import { emptyHouseDatabase } from '../support/database.ts';
import type { AnyShape, TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { AgentsDriver, OPERATOR, startAgents, type TestAgent, VIEWER } from './support.ts';

const ROLLOUT =
  'id state stage reason looks stages { name agents waiting changing ready lost back gone } findings { metric outcome sentence }';
const START = `mutation ($input: StartRolloutInput!) { startRollout(input: $input) { rollout { ${ROLLOUT} } userErrors { code message field } } }`;
/** Beats are sent as fast as they are answered, and each counts for so long. */
const SETTINGS = { FLEET_BEAT_MS: 20_000, FLEET_DRIFT_GRACE_MS: 1_000 };
/** As short as a rollout can be. */
const SHORT = { baseline: 'PT1S', bake: 'PT1S', warmUp: 'PT0S', readyWithin: 'PT20S', sensitivity: 10 };

/** What an agent that runs a version does. */
type Conduct = (version: string) => { errors: number };

/** Agents that beat, obey and change their version when they are asked. */
class Troop {
  readonly versions = new Map<string, string>();
  readonly #agents: TestAgent[] = [];
  #sequence = 0;
  #running: Promise<void> | undefined;
  #isOver = false;

  constructor(
    public driver: AgentsDriver,
    readonly kind: string,
    private readonly conduct: Conduct = () => ({ errors: 0 }),
  ) {}

  async join(count: number, input: object = {}): Promise<TestAgent[]> {
    const config = { limit: 5 };
    const joined = await Promise.all(
      Array.from({ length: count }, () =>
        this.driver.register({ kind: this.kind, version: '1.0.0', config, ...input }),
      ),
    );
    for (const { id } of joined) this.versions.set(id, '1.0.0');
    this.#agents.push(...joined);
    return joined;
  }

  start(): void {
    this.#isOver = false;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) await this.#beat();
  }

  async #beat(): Promise<void> {
    this.#sequence += 1;
    const beats = this.#agents.map(({ id }) => {
      const version = this.versions.get(id) as string;
      const stats = { requests: 20, latencyMs: 100, ...this.conduct(version) };
      return { agentId: id, sequence: this.#sequence, state: 'RUNNING', version, stats };
    });
    const { agentBeats } = await this.driver.do(
      'mutation ($input: AgentBeatsInput!) { agentBeats(input: $input) { beats { agentId commands { id name fence arguments } userErrors { message } } } }',
      { input: { beats } },
      { principal: OPERATOR },
    );
    for (const { agentId, commands, userErrors } of agentBeats.beats) {
      if (userErrors.length) throw new Error(userErrors[0].message);
      for (const { id, fence, name, arguments: asked } of commands) {
        if (name === 'upgrade') this.versions.set(agentId, asked.version);
        await this.driver.do(
          'mutation ($input: CompleteCommandInput!) { completeCommand(input: $input) { userErrors { code } } }',
          { input: { id, fence, outcome: 'DONE' } },
          { principal: OPERATOR },
        );
      }
    }
  }
}

describe('a rollout', () => {
  let databaseUrl: string;
  let house: TestHouse;
  let driver: AgentsDriver;
  beforeAll(async () => {
    databaseUrl = await emptyHouseDatabase('agents');
    house = await startAgents({ databaseUrl, settings: SETTINGS });
    driver = new AgentsDriver(house);
  });
  afterAll(() => house.stop());

  const publish = async (kind: string, input: object = {}) => {
    const { publishAgentVersion } = await driver.do(
      'mutation ($input: PublishAgentVersionInput!) { publishAgentVersion(input: $input) { userErrors { message } } }',
      {
        input: {
          ...{ kind, version: '2.0.0', migratesFrom: '1.0.0', defaults: { retries: 3 } },
          ...{ operations: [{ kind: 'RENAME', path: '/limit', name: 'max' }] },
          ...input,
        },
      },
    );
    expect(publishAgentVersion.userErrors).toEqual([]);
  };
  const start = async (kind: string, input: object = {}) =>
    (await driver.do(START, { input: { kind, version: '2.0.0', ...SHORT, ...input } }, { principal: OPERATOR }))
      .startRollout;
  const act = async (verb: string, id: string, input: object = {}) =>
    (
      await driver.do(
        `mutation ($input: RolloutActionInput!) { ${verb}Rollout(input: $input) { rollout { ${ROLLOUT} } userErrors { code message } } }`,
        { input: { id, ...input } },
        { principal: OPERATOR },
      )
    )[`${verb}Rollout`];
  const read = async (id: string): Promise<AnyShape> =>
    (await driver.do(`query ($id: ID!) { rollout(id: $id) { ${ROLLOUT} } }`, { id }, { principal: VIEWER })).rollout;
  const reached = (id: string, ...states: string[]) =>
    until(async () => {
      const rollout = await read(id);
      return states.includes(rollout.state) && rollout;
    }, 60_000);
  const about = 'version desiredVersion config configVersion restarts';

  test('of a good version goes over the canary and the waves, carries configurations over, and takes in who comes meanwhile', async () => {
    const kind = 'good';
    const troop = new Troop(driver, kind);
    const agents = await troop.join(12);
    await publish(kind);
    troop.start();
    const { rollout, userErrors } = await start(kind, { waves: [50, 100] });
    expect(userErrors).toEqual([]);
    expect(rollout.stages.map(({ name, agents: size }: AnyShape) => `${name} ${size}`)).toEqual([
      'canary 1',
      'wave 1 5',
      'wave 2 6',
    ]);
    const live = await driver.subscribe(
      'subscription ($id: ID) { rolloutChanged(id: $id) { kind node { state stage } } }',
      { id: rollout.id },
      { principal: VIEWER },
    );
    const canary = await until(async () => (await read(rollout.id)).state === 'CANARY' && (await read(rollout.id)));
    expect(canary.stages[0].waiting + canary.stages[0].changing + canary.stages[0].ready).toBe(1);
    const [late] = (await troop.join(1)) as [TestAgent];
    const done = await reached(rollout.id, 'SUCCEEDED');
    await until(async () => (await driver.agent(late.id, about)).configVersion === 2);
    await until(() => live.payloads.some(({ node }) => node.state === 'SUCCEEDED'));
    live.end();
    await troop.stop();
    expect(done.reason).toBe('wave 2 is as good as the others');
    for (const { id } of [...agents, late]) {
      expect(await driver.agent(id, about)).toEqual({
        ...{ version: '2.0.0', desiredVersion: '2.0.0', config: { max: 5, retries: 3 }, configVersion: 2, restarts: 0 },
      });
    }
    const states = live.payloads
      .map(({ node }) => `${node.state} ${node.stage}`)
      .filter((each) => each !== 'SCHEDULED 0');
    expect([...new Set(states)]).toEqual(['BASELINE 0', 'CANARY 0', 'WAVE 1', 'WAVE 2', 'SUCCEEDED 2']);
    const told = (await driver.entries(rollout.id)).map(({ action }) => action);
    expect(told).toEqual([
      ...['startRollout', 'agent.rollout.baseline', 'agent.rollout.canary', 'agent.rollout.wave', 'agent.rollout.wave'],
      'agent.rollout.succeeded',
    ]);
  }, 120_000);

  test('of a bad version is taken back by itself, from the canary, with its reason in numbers and the configurations as they were', async () => {
    const kind = 'bad';
    const troop = new Troop(driver, kind, (version) => ({ errors: version === '2.0.0' ? 12 : 0 }));
    const agents = await troop.join(12);
    await publish(kind);
    troop.start();
    const { rollout } = await start(kind, { sensitivity: 1 });
    const done = await reached(rollout.id, 'REVERTED');
    await troop.stop();
    expect(done.reason).toMatch(/^(errors: 60\.00 % of \d+ requests against 0\.00 %|health: )/);
    expect(done.stages[0]).toMatchObject({ agents: 1, back: 1 });
    const found = await Promise.all(agents.map(({ id }) => driver.agent(id, about)));
    expect(found.map(({ version }) => version)).toEqual(agents.map(() => '1.0.0'));
    expect(found.map(({ config }) => config)).toEqual(agents.map(() => ({ limit: 5 })));
    expect(found.filter(({ configVersion }) => configVersion > 1)).toHaveLength(1);
    const [last] = (await driver.entries(rollout.id)).slice(-1);
    expect(last).toMatchObject({ action: 'agent.rollout.reverted', actor: { kind: 'SYSTEM' }, reason: done.reason });
  }, 120_000);

  test('is scheduled, paused, resumed past its gate, and aborted; each once, and audited', async () => {
    const kind = 'acted';
    const troop = new Troop(driver, kind);
    await troop.join(4);
    await publish(kind);
    troop.start();
    const dry = await start(kind, { dryRun: true });
    expect(dry.rollout.stages[0]).toMatchObject({ name: 'canary', agents: 1 });
    expect(await read(dry.rollout.id)).toBeNull();
    const startAt = new Date(Date.now() + 3_600_000).toISOString();
    const { rollout } = await start(kind, { startAt, sensitivity: 1 });
    expect((await start(kind)).userErrors).toMatchObject([{ code: 'CONFLICT', field: ['kind'] }]);
    expect((await act('resume', rollout.id)).userErrors).toMatchObject([{ code: 'CONFLICT' }]);
    expect((await act('abort', rollout.id)).rollout.state).toBe('ABORTED');
    expect((await act('pause', rollout.id)).userErrors).toMatchObject([{ code: 'CONFLICT' }]);
    const second = (await start(kind, { sensitivity: 1 })).rollout;
    await until(async () => (await read(second.id)).stages[0].ready === 1);
    expect(await act('pause', second.id, { reason: 'lunch' })).toMatchObject({
      rollout: { state: 'PAUSED', reason: 'pause: lunch (Olga)' },
    });
    expect((await act('resume', second.id, { promote: true })).rollout.state).toBe('CANARY');
    await until(async () => (await read(second.id)).stage > 0);
    expect((await act('abort', second.id, { reason: 'enough' })).rollout.state).toMatch(/REVERTING|ABORTED/);
    const done = await reached(second.id, 'ABORTED');
    await troop.stop();
    expect(done.stages.every(({ ready, changing }: AnyShape) => ready + changing === 0)).toBe(true);
    const actions = (await driver.entries(second.id)).map(({ action }) => action);
    expect(actions).toEqual(
      expect.arrayContaining(['pauseRollout', 'resumeRollout', 'abortRollout', 'agent.rollout.aborted']),
    );
    expect([...troop.versions.values()]).toEqual(['1.0.0', '1.0.0', '1.0.0', '1.0.0']);
  }, 120_000);

  test.each<[string, object, object, string, string[]]>([
    ['an unpublished version', {}, { version: '9.0.0' }, 'NOT_FOUND', ['version']],
    ['a canary of a tenth', {}, { canaryPercent: 10 }, 'BAD_INPUT', ['canaryPercent']],
    ['waves that fall', {}, { waves: [50, 20] }, 'BAD_INPUT', ['waves']],
    ['a time out of bounds', {}, { bake: 'P30D' }, 'BAD_INPUT', ['bake']],
    ['a configuration that would lose something', { config: { limit: 5, max: 6 } }, {}, 'CONFLICT', ['version']],
    ['nobody to take it', { version: '2.0.0' }, {}, 'NOT_FOUND', ['kind']],
  ])('is refused for %s', async (what, agent, input, code, field) => {
    const kind = `refused ${what}`.slice(0, 60);
    await driver.register({ kind, config: { limit: 5 }, ...agent });
    await publish(kind);
    const { rollout, userErrors } = await start(kind, input);
    expect({ rollout, userErrors }).toMatchObject({ rollout: null, userErrors: [{ code, field }] });
  });

  test('goes on where it was when the platform was started anew', async () => {
    const kind = 'restarted';
    const troop = new Troop(driver, kind);
    await troop.join(6);
    await publish(kind);
    troop.start();
    const { rollout } = await start(kind);
    await until(async () => (await read(rollout.id)).state === 'CANARY');
    await troop.stop();
    await house.stop();
    house = await startAgents({ databaseUrl, settings: SETTINGS });
    driver = new AgentsDriver(house);
    troop.driver = driver;
    troop.start();
    await reached(rollout.id, 'SUCCEEDED');
    await troop.stop();
    expect([...new Set(troop.versions.values())]).toEqual(['2.0.0']);
    const upgrades = await house.runtime.database.query(
      `select count(*)::int as count from command c join agent a on a.id = c.agent_id where a.kind = $1 and c.name = 'upgrade'`,
      [kind],
    );
    expect(upgrades).toEqual([{ count: 6 }]);
  }, 120_000);

  test('leaves nobody behind: who comes later, or falls back, is told of as drift and asked again', async () => {
    const kind = 'drifting';
    const troop = new Troop(driver, kind);
    const [agent] = (await troop.join(2)) as [TestAgent];
    await publish(kind);
    troop.start();
    const { rollout } = await start(kind);
    await reached(rollout.id, 'SUCCEEDED');
    const [late] = (await troop.join(1)) as [TestAgent];
    // Somebody starts the old program again, by hand.
    troop.versions.set(agent.id, '1.0.0');
    const isBack = async (id: string) => {
      const { version, config, drift } = await driver.agent(id, 'version config drift { since }');
      return version === '2.0.0' && config.max === 5 && drift === null;
    };
    const found = async ({ id }: TestAgent) =>
      (await driver.entries(id)).filter(({ action }) => action === 'agent.drift.found');
    for (const each of [agent, late]) {
      await until(async () => (await found(each)).length > 0);
      await until(() => isBack(each.id));
      expect((await found(each))[0]).toMatchObject({
        reason: 'it runs 1.0.0, not 2.0.0; it is asked for 2.0.0 again',
        actor: { kind: 'SYSTEM' },
      });
    }
    const { agents } = await driver.do(
      'query ($kind: String!) { agents(filter: { kinds: [$kind], drifted: true }) { nodes { id } } }',
      { kind },
    );
    expect(agents.nodes).toEqual([]);
    await troop.stop();
    const { events } = await driver.agent(agent.id, 'events(first: 100) { nodes { name } }');
    expect(events.nodes.map(({ name }: AnyShape) => name)).toEqual(
      expect.arrayContaining(['drift.found', 'drift.ended']),
    );
  }, 120_000);
});
