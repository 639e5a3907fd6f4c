import { readNodeId } from '../../lib/node-id.ts';
import { Stories } from '../../subgraphs/agents/service/stories.ts';
import { StoryStore } from '../../subgraphs/agents/store/story.ts';
import type { TestHouse } from '../support/house.ts';
import { AgentsDriver, type MovableClock, movableClock, startAgents, type TestAgent } from './support.ts';

const DAY_MS = 86_400_000;

describe('what is kept of stories', () => {
  let house: TestHouse;
  let driver: AgentsDriver;
  let clock: MovableClock;
  let stories: Stories;
  beforeAll(async () => {
    clock = movableClock();
    house = await startAgents({ clock });
    driver = new AgentsDriver(house);
    stories = new Stories(new StoryStore(house.runtime.database), clock, { keptDays: 30, keptLines: 100 });
  });
  afterAll(() => house.stop());

  const uuidOf = ({ id }: TestAgent) => readNodeId(id)?.uuid as string;
  /** Adds so many lines, each a second younger than the one before, the oldest so many days old. */
  const tell = (agent: TestAgent, count: number, days: number) =>
    house.runtime.database.query(
      `insert into agent_event (id, agent_id, occurred_at, name, detail, actor)
       select gen_random_uuid(), $1, $2::timestamptz + n * interval '1 second', 'own.line', jsonb_build_object('n', n), '{}'
         from generate_series(1, $3::int) n`,
      [uuidOf(agent), new Date(clock.nowMs() - days * DAY_MS), count],
    );
  const kept = async (agent: TestAgent): Promise<number[]> => {
    const rows: { n: number | null }[] = await house.runtime.database.query(
      `select (detail ->> 'n')::int as n from agent_event where agent_id = $1 and name = 'own.line' order by occurred_at`,
      [uuidOf(agent)],
    );
    return rows.map(({ n }) => Number(n));
  };

  test('lines older than the days that are kept go, in more than one batch, and younger ones stay', async () => {
    const agent = await driver.register();
    await tell(agent, 12_000, 31);
    await tell(agent, 3, 29);
    await stories.forget();
    expect(await kept(agent)).toEqual([1, 2, 3]);
  });

  test('of an agent that tells more than is kept the newest stay, and another agent’s are not touched', async () => {
    const [talker, other] = [await driver.register(), await driver.register()];
    await tell(talker, 6_000, 10);
    await tell(other, 90, 10);
    await stories.forget();
    const left = await kept(talker);
    expect(left).toEqual(Array.from({ length: left.length }, (_, at) => 6_000 - left.length + at + 1));
    // The line of its registration is the newest of the hundred.
    expect(left).toHaveLength(99);
    expect(await kept(other)).toHaveLength(90);
  });

  test('one round deletes a bounded number of lines, and the next rounds the rest', async () => {
    const agent = await driver.register();
    await tell(agent, 52_000, 40);
    await stories.forget();
    expect((await kept(agent)).length).toBeGreaterThan(0);
    await stories.forget();
    expect(await kept(agent)).toEqual([]);
  });

  test('an operator changes a configuration from psql, whatever schema it looks in, and its history is kept', async () => {
    const agent = await driver.register({ config: { batch: 1 } });
    await house.runtime.database.transaction(async (tx) => {
      await tx.query('set local search_path to public');
      await tx.query(
        `update agents.agent set config = '{"batch": 2}', config_version = config_version + 1 where id = $1`,
        [uuidOf(agent)],
      );
      await tx.query(
        `insert into agents.event (type, entity_id, kind, occurred_at, node)
         values ('Agent', $1, 'UPDATED', now(), '{}')`,
        [uuidOf(agent)],
      );
    });
    const configs: { config: object }[] = await house.runtime.database.query(
      'select config from agent_config where agent_id = $1 order by version',
      [uuidOf(agent)],
    );
    expect(configs.map(({ config }) => config)).toEqual([{ batch: 1 }, { batch: 2 }]);
  });
});
