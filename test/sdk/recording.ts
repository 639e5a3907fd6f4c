import type { Agent, connect } from '../../sdk/index.ts';
import { until } from '../support/until.ts';
import { ContractServer, command } from './contract-server.ts';

type Json = Record<string, unknown>;

/** What somebody asks of the agent, at this point of a conversation. */
export type Asked = { command: string; arguments: Json } | { config: Json } | { action: 'pause' | 'resume' | 'stop' };

/** One request of the agent, word for word; `$id`, `$command:<name>` and `$fence:<name>` stand for what the platform gave it. */
export interface Said {
  as: 'owner' | 'agent';
  query: string;
  variables: Json;
}

/** All that a released SDK says in an agent's life, and what it was asked in between. */
export interface Conversation {
  sdk: string;
  steps: (Asked | Said)[];
}

const NAME = 'recorded-1';

/** Has an SDK live through an agent's life with a platform of the contract, and writes down what it says. */
export async function record(sdk: string, join: typeof connect): Promise<Conversation> {
  const server = new ContractServer();
  await server.start();
  server.beatEveryMs = 20;
  const steps: Conversation['steps'] = [];
  let heard = 0;
  const ask = (asked: Asked) => {
    steps.push(...said(server, heard), asked);
    heard = server.calls.length;
  };
  const agent = await join({
    url: server.url,
    token: 'owner',
    name: NAME,
    kind: 'scout',
    version: '1.0.0',
    labels: { team: 'atlas' },
    endpoints: [{ name: 'tasks', url: 'inproc://recorded' }],
    capabilities: ['look'],
    config: { depth: 1 },
  });
  const known = server.agent(NAME);
  const beats = (state: string) => until(() => known.beats.at(-1)?.['state'] === state);
  agent.check('disk', () => ({ ok: true }));
  // From 1.1.0 on.
  (agent as Partial<Agent>).hook?.call(agent, 'afterStart', () => {});
  agent.onCommand('greet', ({ whom }) => ({ greeted: whom }));
  await beats('RUNNING');
  await agent.task('look', {}, () => 'seen');
  await until(() => known.beats.some((beat) => (beat['stats'] as { requests: number }).requests > 0));
  ask({ command: 'greet', arguments: { whom: 'Ada' } });
  known.commands.push(command(agent.id, 'greet', { whom: 'Ada' }));
  await until(() => server.completed.length === 1);
  ask({ config: { depth: 2 } });
  Object.assign(known, { config: { depth: 2 }, configVersion: 2 });
  await until(() => known.beats.at(-1)?.['configVersion'] === 2);
  for (const [action, state] of [
    ['pause', 'PAUSED'],
    ['resume', 'RUNNING'],
  ] as const) {
    ask({ action });
    known.desiredState = state;
    await beats(state);
  }
  await agent.close();
  steps.push(...said(server, heard));
  await server.stop();
  return { sdk, steps: withoutRepeats(steps) };
}

function said(server: ContractServer, from: number): Said[] {
  return server.calls.slice(from).map(({ query, variables, token }) => {
    const text = JSON.stringify(variables)
      .replaceAll(`id-${NAME}`, '$id')
      .replace(/"id":"command-([\w-]+)"/g, '"id":"$command:$1"')
      .replace(/"fence-command-([\w-]+)"/g, '"$fence:$1"');
    return { as: token === 'owner' ? 'owner' : 'agent', query, variables: JSON.parse(text) as Json };
  });
}

/** Of beats that say the same only the first; how many there are is chance. */
function withoutRepeats(steps: Conversation['steps']): Conversation['steps'] {
  let last = '';
  return steps.filter((step) => {
    if (!('query' in step)) {
      last = '';
      return true;
    }
    const { sequence: _, ...rest } = (step.variables['input'] ?? {}) as Json;
    const same = JSON.stringify([step.query, rest]);
    const isRepeat = same === last;
    last = same;
    return !isRepeat;
  });
}
