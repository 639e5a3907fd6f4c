import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv from 'ajv';
import { type Demo, startDemo } from '../../fleet/demo.ts';
import { KINDS } from '../../fleet/roster.ts';
import { machine } from '../../sdk/index.ts';
import { ContractServer, command } from '../sdk/contract-server.ts';
import { until } from '../support/until.ts';

type Json = Record<string, unknown>;
type Span = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  status: { code?: number };
  attributes: { key: string; value: Json }[];
};

/** The demo's waiting goes ten times as fast; nothing else is changed. */
function hurried() {
  const real = machine();
  return { ...real, sleep: (ms: number, signal?: AbortSignal) => real.sleep(ms / 10, signal) };
}

const attribute = (span: Span, key: string) =>
  Object.values(span.attributes.find((each) => each.key === key)?.value ?? {})[0];

describe('the demo fleet', () => {
  const server = new ContractServer();
  let demo: Demo;
  let traces: Map<string, Span[]>;
  const lines: string[] = [];

  const write = (line: string) => void lines.push(line);

  beforeAll(async () => {
    await server.start();
    demo = await startDemo({ url: server.url, token: 'admin', surroundings: hurried(), lines: { write } }, 74);
  });
  afterAll(() => server.stop());

  const isRestartAwaited = () => demo.workers.some(({ agent }) => agent.silent);

  test('74 agents of nine kinds are registered, labelled and running', async () => {
    await until(() => demo.workers.filter(({ isOpen }) => isOpen).length >= 73);
    expect(demo.workers).toHaveLength(74);
    expect(new Set(demo.workers.map(({ kind }) => kind))).toEqual(new Set(KINDS));
    expect(KINDS).toHaveLength(9);
    const registered = server.calls.filter(({ query }) => query.includes('registerAgent'));
    expect(
      registered.every(({ variables }) => (variables['input'] as { labels: Json }).labels['fleet.demo'] === 'true'),
    ).toBe(true);
  });

  test('a killed agent is silent until the platform orders its restart', async () => {
    await until(isRestartAwaited);
    const worker = demo.workers.find(({ agent }) => agent.silent);
    const { agent } = worker as (typeof demo.workers)[number];
    const beats = server.agent(agent.name).beats.length;
    await until(() => server.streams.size > 0);
    expect(server.agent(agent.name).beats.length - beats).toBeLessThanOrEqual(1);
    const other = command(agent.id, 'tidy-up');
    const order = command(agent.id, 'restart');
    for (const each of [other, order]) {
      server.push(`event: next\nid: ${each['cursor']}\ndata: ${JSON.stringify({ data: { agentCommands: each } })}\n\n`);
    }
    await until(() => agent.state === 'RUNNING' && !agent.silent);
    await until(() => server.completed.some(({ id, outcome }) => id === 'command-restart' && outcome === 'DONE'));
    await until(() => server.agent(agent.name).beats.length > beats + 1);
  });

  test('it fails in turn: refused model calls with ERROR lines, failed spans and errors in the statistics, then slowness', async () => {
    await until(() => demo.workers.some(({ ailment }) => ailment === 'slow'), 30_000);
    await until(() => server.records('logs').some((line) => JSON.stringify(line).includes('529 overloaded')));
    const spans = server.records('traces') as Span[];
    expect(spans.some(({ name, status }) => name.startsWith('chat ') && status.code === 2)).toBe(true);
    const errors = [...server.agents.values()].flatMap(({ beats }) =>
      beats.map((beat) => (beat['stats'] as { errors: number }).errors),
    );
    expect(Math.max(...errors)).toBeGreaterThan(0);
  }, 40_000);

  test('it ends when told to, and has sent everything', async () => {
    await demo.stop(1_500);
    expect(demo.link.counts).toMatchObject({ dropped: 0, rejected: 0, waiting: 0 });
    traces = new Map();
    for (const span of server.records('traces') as Span[])
      traces.set(span.traceId, [...(traces.get(span.traceId) ?? []), span]);
    const gone = [...server.agents.values()].filter(({ beats }) => beats.at(-1)?.['state'] === 'STOPPED');
    expect(gone.length).toBeGreaterThanOrEqual(70);
  });

  test('a job is one whole trace over three agents and more, without an orphan', () => {
    const whole = [...traces.values()];
    expect(whole.length).toBeGreaterThan(20);
    for (const spans of whole) {
      const ids = new Set(spans.map(({ spanId }) => spanId));
      expect(spans.filter(({ parentSpanId }) => parentSpanId && !ids.has(parentSpanId))).toEqual([]);
      expect(spans.filter(({ parentSpanId }) => !parentSpanId)).toHaveLength(1);
    }
    const agents = (spans: Span[]) =>
      new Set(spans.map((span) => attribute(span, 'fleet.agent.name')).filter(Boolean)).size;
    const finished = whole.filter(
      (spans) => spans.every(({ status }) => !status.code) && spans.some(({ name }) => name === 'planner task'),
    );
    expect(Math.min(...finished.map(agents))).toBeGreaterThanOrEqual(3);
  });

  test('every line of every agent is one of the published schema, with its agent and a trace that was sent', () => {
    const schema = JSON.parse(readFileSync(path.resolve(__dirname, '../../docs/log-line.schema.json'), 'utf8'));
    const validate = new Ajv().compile(schema);
    const told = lines.map((line) => JSON.parse(line) as Json);
    expect(told.filter((line) => !validate(line))).toEqual([]);
    const ids = new Set(server.agents.keys());
    expect(
      told.filter(({ agentId, traceId }) => !ids.has(agentId as string) || !traces.has(traceId as string)),
    ).toEqual([]);
    expect(told.length).toBe(server.records('logs').length);
    expect(told.length).toBeGreaterThan(200);
    const failed = told.filter(({ level }) => level === 'error' || level === 'fatal');
    expect(failed.length).toBeGreaterThan(0);
  });

  test('tokens are spent by model, lines carry their trace, tasks are counted', () => {
    const spent = ([...traces.values()].flat() as Span[]).filter((span) =>
      attribute(span, 'gen_ai.usage.input_tokens'),
    );
    expect(new Set(spent.map((span) => attribute(span, 'gen_ai.request.model'))).size).toBeGreaterThanOrEqual(4);
    expect(server.records('logs').some(({ traceId, spanId }) => traces.has(traceId as string) && spanId)).toBe(true);
    const names = new Set(server.records('metrics').map(({ name }) => name));
    expect([...names]).toEqual(expect.arrayContaining(['tasks_total', 'task_duration_seconds', 'tokens_total']));
  });
});
