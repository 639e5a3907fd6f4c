import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Bus } from '../../fleet/bus.ts';
import { Chance } from '../../fleet/chance.ts';
import { TRADES } from '../../fleet/kinds/index.ts';
import { roster } from '../../fleet/roster.ts';
import { createFactory, singleton } from '../../sdk/factory/index.ts';
import { connect, HOOKS, SDK } from '../../sdk/index.ts';
import { type Conversation, record, type Said } from '../sdk/recording.ts';
import type { AnyShape, TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { type Front, OWNER_TOKEN, startFront } from './front.ts';
import { AgentsDriver, startAgents } from './support.ts';

const folder = path.resolve(__dirname, '../sdk/conversations');
const conversations = readdirSync(folder).map(
  (file) => JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Conversation,
);

describe('the house and its SDKs', () => {
  let house: TestHouse;
  let driver: AgentsDriver;
  let front: Front;
  beforeAll(async () => {
    house = await startAgents({ settings: { FLEET_BEAT_MS: 500 } });
    driver = new AgentsDriver(house);
    front = await startFront(house);
  });
  afterAll(async () => {
    await front.stop();
    await house.stop();
  });

  const EVENTS = 'state configVersion observedConfigVersion version events(first: 100) { nodes { name detail } }';
  const ask = (mutation: string, input: object) =>
    driver.do(
      `mutation ($input: ${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input!) { ${mutation}(input: $input) { userErrors { message } } }`,
      { input },
    );

  /** Says what a released SDK said, word for word, and asks of the agent what was asked then. */
  async function replay({ sdk, steps }: Conversation): Promise<{ id: string; answers: AnyShape[] }> {
    const given: Record<string, string> = {};
    const answers: AnyShape[] = [];
    const filled = (variables: object) =>
      JSON.parse(
        JSON.stringify(variables).replace(/"(\$[\w:-]+)"/g, (_, name) => JSON.stringify(given[name])),
      ) as object;
    const say = async ({ as, query, variables }: Said) => {
      const isStream = query.startsWith('subscription');
      const response = await fetch(`${front.url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: isStream ? 'text/event-stream' : 'application/graphql-response+json, application/json',
          'fleetgraph-sdk': sdk,
          authorization: `Bearer ${as === 'owner' ? OWNER_TOKEN : given['$token']}`,
        },
        body: JSON.stringify({ query, variables: filled(variables) }),
      });
      expect({ query, status: response.status }).toEqual({ query, status: 200 });
      if (isStream) return response.body?.cancel();
      const { data, errors } = (await response.json()) as AnyShape;
      expect({ query, errors }).toEqual({ query, errors: undefined });
      const answer = Object.values(data)[0] as AnyShape;
      if (answer.userErrors) expect({ query, userErrors: answer.userErrors }).toEqual({ query, userErrors: [] });
      if (answer.token) Object.assign(given, { $id: answer.agent.id, $token: answer.token });
      for (const { name, id, fence } of answer.commands ?? [])
        Object.assign(given, { [`$command:${name}`]: id, [`$fence:${name}`]: fence });
      answers.push(answer);
    };
    for (const step of steps) {
      const id = given['$id'];
      if ('query' in step) await say(step);
      else if ('command' in step)
        await ask('sendAgentCommand', { agentId: id, name: step.command, arguments: step.arguments });
      else if ('config' in step) await ask('setAgentConfig', { id, config: step.config });
      else expect((await driver.act(step.action, id as string)).userErrors).toEqual([]);
    }
    return { id: given['$id'] as string, answers };
  }

  test.each(conversations.map((each) => [each.sdk, each] as const))('an agent of %s lives with it', async (_, each) => {
    const { id, answers } = await replay(each);
    const agent = await driver.agent(id, EVENTS);
    expect(agent).toMatchObject({ state: 'STOPPED', configVersion: 2, observedConfigVersion: 2, version: '1.0.0' });
    expect(new Set(answers.map(({ desiredState }) => desiredState).filter(Boolean))).toEqual(
      new Set(['RUNNING', 'PAUSED']),
    );
    const story = agent.events.nodes.map(({ name }: { name: string }) => name);
    expect(story).toEqual(expect.arrayContaining(['registered', 'state.changed', 'command.completed']));
    const told = each.steps.flatMap((step) =>
      'query' in step ? (((step.variables['input'] as AnyShape)?.events as AnyShape[]) ?? []) : [],
    );
    expect(story.filter((name: string) => name.startsWith('hook.'))).toHaveLength(
      new Set(told.map((event) => event.id)).size,
    );
    await driver.act('deregister', id);
  });

  test('what this SDK says is what was recorded of its version', async () => {
    const recorded = conversations.find(({ sdk }) => sdk === SDK) as Conversation;
    expect(spoken(await record(SDK, connect))).toEqual(spoken(recorded));
  });

  // One of each kind; all 74 with FLEET_EVERY_AGENT=1, which is some 1,100 mutations and no work for every run.
  const members = process.env['FLEET_EVERY_AGENT'] ? roster() : roster().slice(0, 9);

  test('every hook of the demo’s agents is in their timelines', async () => {
    const bus = new Bus(new Chance(1));
    const provide = { bus: singleton(() => bus), dice: singleton(() => () => new Chance(2)) };
    const link = { url: front.url, token: OWNER_TOKEN };
    const factory = createFactory({ kinds: Object.values(TRADES), link, provide });
    await Promise.all(members.map(({ kind, name, about }) => factory.create(kind, name, {}, about)));
    const agents = factory.agents.map(({ agent }) => agent);
    const all = (state: string) => until(() => agents.every((agent) => agent.state === state));
    /** Two at a time: a small machine is busy with the beats. */
    const each = async (work: (agent: (typeof agents)[number]) => Promise<unknown>) => {
      const waiting = [...agents];
      const worker = async () => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          const agent = next;
          // A database that is busy says that it is away, and to try again.
          await until(() =>
            work(agent).then(
              () => true,
              (error: Error) => (error.message.includes('"retryable":true') ? false : Promise.reject(error)),
            ),
          );
        }
      };
      await Promise.all([worker(), worker()]);
    };
    const act = (action: string) =>
      each(async ({ id }) => expect((await driver.act(action, id)).userErrors).toEqual([]));
    const send = (name: string, args: object) =>
      each(({ id }) => ask('sendAgentCommand', { agentId: id, name, arguments: args }));
    const restarted = new Set<string>();
    for (const agent of agents) agent.hook('afterRestart', () => void restarted.add(agent.name));
    await all('RUNNING');
    await act('pause');
    await all('PAUSED');
    await act('resume');
    await all('RUNNING');
    await send('diagnose', { part: 'none' });
    await send('report', {});
    await send('upgrade', { version: '9.0.0' });
    await each(({ id, config }) => ask('setAgentConfig', { id, config: { ...config, temperature: 0.5 } }));
    await until(() =>
      agents.every(({ config, definition }) => config['temperature'] === 0.5 && definition.version === '9.0.0'),
    );
    await act('restart');
    await until(() => restarted.size === agents.length);
    await factory.close();
    const timelines = await Promise.all(
      agents.map(async ({ id, name }) => {
        const { events } = await driver.agent(id, EVENTS);
        return { name, hooks: new Set(events.nodes.map((event: AnyShape) => event.name)) };
      }),
    );
    const missing = timelines.flatMap(({ name, hooks }) =>
      HOOKS.filter((hook) => !hooks.has(`hook.${hook}`)).map((hook) => `${name} ${hook}`),
    );
    expect(timelines).toHaveLength(members.length);
    expect(missing).toEqual([]);
  }, 300_000);
});

/** What a conversation's requests are, and every field they give; how often, and with what beside, is chance. */
function spoken({ steps }: Conversation): Record<string, string[]> {
  const fields: Record<string, Set<string>> = {};
  for (const step of steps) {
    if (!('query' in step)) continue;
    const query = `${step.as} ${step.query}`;
    const known = fields[query] ?? new Set();
    fields[query] = known;
    for (const name of pathsOf(step.variables, '')) known.add(name);
  }
  return Object.fromEntries(Object.entries(fields).map(([query, names]) => [query, [...names].sort()]));
}

function pathsOf(value: unknown, at: string): string[] {
  if (!value || typeof value !== 'object') return [at];
  if (Array.isArray(value)) return value.flatMap((item) => pathsOf(item, `${at}[]`));
  return Object.entries(value).flatMap(([name, item]) => pathsOf(item, `${at}.${name}`));
}
