import { nodeId } from '../../lib/node-id.ts';
import { emptyHouseDatabase } from '../support/database.ts';
import type { AnyShape, TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { AgentsDriver, OPERATOR, SCRIPT, startAgents, type TestAgent, VIEWER } from './support.ts';

const JOB = 'id action state total done refused progress reason filter createdBy { id } startedAt finishedAt';
const ACT = `mutation ($input: ActOnAgentsInput!) { actOnAgents(input: $input) {
  job { ${JOB} } affected agents { id } refusals { reason count } userErrors { code message field } auditEntry { id } } }`;
const READ = `query ($id: ID!) { job(id: $id) { ${JOB} refusals { reason count }
  targets(first: 100) { nodes { number state reason settledAt agent { id } } } } }`;
const CANCEL = `mutation ($input: JobActionInput!) { cancelJob(input: $input) { job { state done } userErrors { code field } } }`;
const CHANGED = `subscription ($id: ID!, $after: String) { jobChanged(id: $id, after: $after) {
  cursor kind previous node { id state total done refused progress } } }`;

class Jobs {
  constructor(readonly driver: AgentsDriver) {}

  async act(input: object, principal = OPERATOR): Promise<AnyShape> {
    const data = await this.driver.do(ACT, { input: { action: 'PAUSE', ...input } }, { principal });
    return data.actOnAgents;
  }

  async read(id: string): Promise<AnyShape> {
    return (await this.driver.do(READ, { id }, { principal: VIEWER })).job;
  }

  ended(id: string): Promise<AnyShape> {
    return until(async () => {
      const job = await this.read(id);
      return job.finishedAt && job;
    });
  }

  async cancel(id: string): Promise<AnyShape> {
    return (await this.driver.do(CANCEL, { input: { id, reason: 'wrong' } }, { principal: OPERATOR })).cancelJob;
  }
}

async function kindOf(driver: AgentsDriver, count: number): Promise<{ kind: string; agents: TestAgent[] }> {
  const kind = `kind-${Math.random().toString(36).slice(2)}`;
  const agents: TestAgent[] = [];
  // One after the other, so that their names and their turns are in this order.
  for (let at = 0; at < count; at += 1) agents.push(await driver.register({ kind, name: `${kind}-${at}` }));
  return { kind, agents };
}

describe('a job', () => {
  let house: TestHouse;
  let driver: AgentsDriver;
  let jobs: Jobs;
  beforeAll(async () => {
    house = await startAgents();
    driver = new AgentsDriver(house);
    jobs = new Jobs(driver);
  });
  afterAll(() => house.stop());

  test('asks each agent that the filter names, tells it, and is audited with each as its effect', async () => {
    const { kind, agents } = await kindOf(driver, 3);
    await kindOf(driver, 1);
    const made = await jobs.act({ filter: { kinds: [kind] }, reason: 'deploy' });
    expect(made).toMatchObject({ affected: 3, agents: null, refusals: null, userErrors: [] });
    expect(made.job).toMatchObject({
      action: 'PAUSE',
      total: 3,
      reason: 'deploy',
      filter: { kinds: [kind] },
      createdBy: { id: 'operator' },
    });
    const ended = await jobs.ended(made.job.id);
    expect(ended).toMatchObject({ state: 'FINISHED', done: 3, refused: 0, progress: 1, refusals: [] });
    expect(ended.targets.nodes).toEqual(
      agents.map(({ id }, at) => ({
        ...{ number: at + 1, state: 'DONE', reason: null },
        settledAt: expect.any(String),
        agent: { id },
      })),
    );
    for (const agent of agents) {
      expect(await driver.beat(agent)).toMatchObject({
        desiredState: 'PAUSED',
        commands: [
          { name: 'pause', arguments: { desiredState: 'PAUSED', reason: 'deploy' }, issuedBy: { id: 'operator' } },
        ],
      });
      const entry = (await driver.entries(agent.id)).find(({ action }) => action === 'agent.job.pause');
      expect(entry).toMatchObject({
        outcome: 'SUCCEEDED',
        reason: 'deploy',
        before: { desiredState: 'RUNNING' },
        after: { desiredState: 'PAUSED' },
      });
      expect(nodeId('AuditEntry', entry.causedBy)).toBe(made.auditEntry.id);
      const { events } = await driver.agent(agent.id, 'events { nodes { name detail actor { id } } }');
      expect(events.nodes).toContainEqual({
        name: 'pauseAgent',
        detail: expect.objectContaining({ job: made.job.id, desiredState: 'PAUSED' }),
        actor: { id: 'operator' },
      });
    }
    const entries = await driver.entries(made.job.id);
    expect(entries.map(({ action, causedBy }) => [action, causedBy && nodeId('AuditEntry', causedBy)])).toEqual([
      ['actOnAgents', null],
      ['agent.job.finished', made.auditEntry.id],
    ]);
  });

  test('counts those whose life has no such move with the reason, and leaves them as they are', async () => {
    const { kind, agents } = await kindOf(driver, 4);
    for (const { id } of agents.slice(0, 2)) await driver.act('pause', id);
    await driver.act('retire', (agents[2] as TestAgent).id);
    const { job } = await jobs.act({ filter: { kinds: [kind] } });
    const ended = await jobs.ended(job.id);
    expect(ended).toMatchObject({ state: 'FINISHED', done: 1, refused: 3, progress: 1 });
    expect(ended.refusals).toEqual([
      { reason: expect.stringMatching(/^it is REGISTERED and is asked to be PAUSED: it cannot be paused/), count: 2 },
      { reason: 'it is RETIRED: it cannot be paused, its life is over', count: 1 },
    ]);
    expect(await driver.agent((agents[2] as TestAgent).id)).toMatchObject({ state: 'RETIRED' });
    expect((await driver.entries((agents[0] as TestAgent).id)).at(-1)).toMatchObject({
      action: 'agent.job.pause',
      outcome: 'FAILED',
    });
  });

  test('a dry run changes nothing and foretells what comes', async () => {
    const { kind, agents } = await kindOf(driver, 3);
    await driver.act('pause', (agents[1] as TestAgent).id);
    const told = await jobs.act({ filter: { kinds: [kind] }, dryRun: true });
    expect(told).toMatchObject({ job: null, affected: 3, userErrors: [] });
    expect(told.agents).toEqual([{ id: agents[0]?.id }, { id: agents[2]?.id }]);
    const { job } = await jobs.act({ filter: { kinds: [kind] } });
    const ended = await jobs.ended(job.id);
    expect(ended).toMatchObject({ done: 2, refused: 1, refusals: told.refusals });
    const { jobs: all } = await driver.do('{ jobs(first: 100) { nodes { id filter } } }');
    expect(all.nodes.filter(({ filter }: AnyShape) => filter.kinds?.[0] === kind)).toHaveLength(1);
  });

  test('more agents than allowed are refused with their number, and none is asked', async () => {
    const { kind, agents } = await kindOf(driver, 3);
    const refused = await jobs.act({ filter: { kinds: [kind] }, maxAffected: 2 });
    expect(refused).toMatchObject({ job: null, affected: null });
    expect(refused.userErrors).toEqual([
      { code: 'CONFLICT', message: expect.stringContaining('3 agents'), field: ['maxAffected'] },
    ]);
    expect((await driver.agent((agents[0] as TestAgent).id)).desiredState).toBe('RUNNING');
    for (const maxAffected of [0, 100_001]) {
      const { userErrors } = await jobs.act({ filter: { kinds: [kind] }, maxAffected });
      expect(userErrors).toEqual([expect.objectContaining({ code: 'BAD_INPUT', field: ['maxAffected'] })]);
    }
    const { userErrors } = await jobs.act({ filter: { query: 'kind:(' } });
    expect(userErrors).toEqual([expect.objectContaining({ code: 'BAD_QUERY' })]);
  });

  test('the same key makes one job, other arguments are refused, and callers without the scope too', async () => {
    const { kind } = await kindOf(driver, 1);
    const input = { filter: { kinds: [kind] }, clientMutationId: `once-${kind}` };
    const first = await jobs.act(input);
    expect((await jobs.act(input)).job.id).toBe(first.job.id);
    expect((await jobs.act({ ...input, reason: 'other' })).userErrors).toEqual([
      expect.objectContaining({ code: 'IDEMPOTENCY_KEY_REUSED' }),
    ]);
    await expect(jobs.act(input, VIEWER)).rejects.toThrow('FORBIDDEN');
    await expect(driver.do(READ, { id: first.job.id }, { principal: SCRIPT })).rejects.toThrow('FORBIDDEN');
  });

  test('a job about nobody is over at once; one that is not there is nothing', async () => {
    const { job } = await jobs.act({ filter: { kinds: ['nobody'] } });
    expect(await jobs.ended(job.id)).toMatchObject({ state: 'FINISHED', total: 0, progress: 1 });
    const nothing = nodeId('Job', '00000000-0000-7000-8000-000000000000');
    expect(await jobs.read(nothing)).toBeNull();
    expect((await jobs.cancel(nothing)).userErrors).toEqual([{ code: 'NOT_FOUND', field: ['id'] }]);
    expect((await jobs.cancel('x')).userErrors).toEqual([{ code: 'BAD_INPUT', field: ['id'] }]);
    expect((await jobs.cancel(job.id)).userErrors).toEqual([{ code: 'CONFLICT', field: null }]);
  });

  test('its steps are told on its stream, which resumes, and pages of jobs and agents go on where they ended', async () => {
    const { kind } = await kindOf(driver, 3);
    const { job } = await jobs.act({ filter: { kinds: [kind] }, action: 'STOP' });
    const live = await driver.subscribe(CHANGED, { id: job.id, after: null }, { principal: VIEWER });
    await jobs.ended(job.id);
    live.end();
    const page = `query ($id: ID!, $after: String) { job(id: $id) { targets(first: 2, after: $after, states: [DONE]) {
      nodes { number } pageInfo { hasNextPage endCursor } } } }`;
    const first = (await driver.do(page, { id: job.id })).job.targets;
    const second = (await driver.do(page, { id: job.id, after: first.pageInfo.endCursor })).job.targets;
    expect([...first.nodes, ...second.nodes].map(({ number }) => number)).toEqual([1, 2, 3]);
    const newest = (await driver.do('{ jobs(first: 1) { nodes { id } pageInfo { endCursor } } }')).jobs;
    expect(newest.nodes).toEqual([{ id: job.id }]);
    const older = await driver.do('query ($after: String) { jobs(first: 1, after: $after) { nodes { id } } }', {
      after: newest.pageInfo.endCursor,
    });
    expect(older.jobs.nodes[0].id).not.toBe(job.id);
  });
});

describe('a job that is interrupted', () => {
  test('goes on where it was in another process, each agent once; cancelled, it asks no more', async () => {
    const databaseUrl = await emptyHouseDatabase('agents');
    const first = await startAgents({ databaseUrl });
    const driver = new AgentsDriver(first);
    const { kind, agents } = await kindOf(driver, 2);
    // Nobody carries jobs out while an agent's row cannot be had.
    const holder = first.runtime.database.createQueryRunner();
    await holder.startTransaction();
    await holder.query('select 1 from agent for update');
    const { job } = await new Jobs(driver).act({ filter: { kinds: [kind] } });
    const { job: other } = await new Jobs(driver).act({ filter: { kinds: [kind] }, action: 'RETIRE' });
    const live = await driver.subscribe(CHANGED, { id: job.id }, { principal: VIEWER });
    expect(await new Jobs(driver).cancel(other.id)).toEqual({ job: { state: 'CANCELLED', done: 0 }, userErrors: [] });
    const second = await startAgents({ databaseUrl });
    await holder.rollbackTransaction();
    await holder.release();
    expect(await new Jobs(driver).ended(job.id)).toMatchObject({ state: 'FINISHED', done: 2, refused: 0 });
    expect((await new Jobs(driver).read(other.id)).targets.nodes).toEqual(
      agents.map((_, at) => expect.objectContaining({ number: at + 1, state: 'SKIPPED' })),
    );
    const commands = await first.runtime.database.query('select name from command order by agent_id');
    expect(commands).toEqual([{ name: 'pause' }, { name: 'pause' }]);
    const last = await until(() => live.payloads.find(({ node }) => node.state === 'FINISHED'));
    expect(last).toMatchObject({
      kind: 'UPDATED',
      previous: { id: job.id, done: 0, state: 'QUEUED' },
      node: { id: job.id, done: 2, total: 2, progress: 1 },
    });
    live.end();
    await second.stop();
    await first.stop();
  });
});
