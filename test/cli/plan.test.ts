import { ContractServer } from '../sdk/contract-server.ts';
import { Terminal } from './terminal.ts';

const node = (kind: string, depth: number, more: object = {}) => ({
  kind,
  depth,
  subgraph: null,
  operation: null,
  fields: [],
  path: [],
  variable: null,
  representations: null,
  startedMs: null,
  tookMs: null,
  ...more,
});

describe('fleet plan', () => {
  const server = new ContractServer();
  const terminal = new Terminal();
  const before = { ...process.env };
  beforeAll(async () => {
    await server.start();
    Object.assign(process.env, { FLEET_URL: server.url, FLEET_TOKEN: 'token' });
  });
  afterAll(async () => {
    process.env = before;
    terminal.close();
    await server.stop();
  });

  test('draws the plan, with what each step took when it was run', async () => {
    const plan = {
      operationName: 'Look',
      rootFields: ['agents'],
      cost: 12,
      tookMs: 9,
      errors: 2,
      nodes: [
        node('SEQUENCE', 0),
        node('FETCH', 1, { subgraph: 'agents', fields: ['agents.name'], startedMs: 0, tookMs: 4 }),
        node('PARALLEL', 1),
        node('ENTITIES', 2, {
          subgraph: 'alerts',
          fields: ['alerts.name'],
          path: ['agents.@'],
          representations: 3,
          startedMs: 4,
          tookMs: 5,
        }),
        node('CONDITION', 2, { variable: 'more' }),
        node('ENTITIES', 3, { subgraph: 'logs', fields: ['logs.body'], path: ['agents.@'] }),
      ],
    };
    server.fields['queryPlan'] = () => plan;
    const words = ['plan', 'query Look { agents { name } }', '--run', '--variables', '{"a":1}', '--operation', 'Look'];
    const { out, code } = await terminal.run(...words);
    expect(code).toBe(0);
    expect(out).toBe(
      [
        'Look: cost 12, 9 ms, 2 errors',
        `${' '.repeat(32)}└─ one after the other`,
        '▕█████████           ▏     4 ms    ├─ agents: agents.name',
        `${' '.repeat(32)}   └─ at the same time`,
        '▕        ███████████ ▏     5 ms       ├─ 3 × alerts at agents.@: alerts.name',
        `${' '.repeat(32)}      └─ if $more`,
        `${' '.repeat(32)}         └─ logs at agents.@: logs.body`,
        '',
      ].join('\n'),
    );
    expect(server.calls.at(-1)?.variables).toEqual({
      query: 'query Look { agents { name } }',
      variables: { a: 1 },
      operationName: 'Look',
      run: true,
    });
    expect(JSON.parse((await terminal.run(...words, '--json')).out)).toEqual(plan);
  });

  test('draws a stream, and what asks nobody', async () => {
    const plan = { operationName: null, rootFields: ['agentChanged'], cost: 1, tookMs: null, errors: null };
    server.fields['queryPlan'] = () => ({
      ...plan,
      nodes: [node('STREAM', 0, { subgraph: 'agents', fields: ['agentChanged.cursor'] })],
    });
    expect((await terminal.run('plan', 'subscription { agentChanged { cursor } }')).out).toBe(
      'agentChanged: cost 1\n└─ events of agents: agentChanged.cursor\n',
    );
    server.fields['queryPlan'] = () => ({ ...plan, rootFields: ['__typename'], nodes: [] });
    expect((await terminal.run('plan', '{ __typename }')).out).toBe('__typename: cost 1\n');
  });
});
