import { currentSpan, FleetLink, machine, readTraceparent, writeTraceparent } from '../../sdk/index.ts';
import { Instruments } from '../../sdk/telemetry/instruments.ts';
import { exportBody, keyValues, nanos } from '../../sdk/telemetry/otlp.ts';
import { Outbox } from '../../sdk/telemetry/outbox.ts';
import { Reporter } from '../../sdk/telemetry/reporter.ts';
import { traceDigits } from '../../sdk/telemetry/traceparent.ts';
import { until } from '../support/until.ts';
import { ContractServer } from './contract-server.ts';

type Json = Record<string, unknown>;

const LIMITS = { maxRecords: 1_000, maxBytes: 1 << 20, batchBytes: 64 << 10, flushEveryMs: 5 };

describe('telemetry on its way', () => {
  const server = new ContractServer();
  const links: FleetLink[] = [];
  const joined = async (outbox: Partial<typeof LIMITS> = {}) => {
    const link = new FleetLink({
      url: server.url,
      token: 'enrol',
      metricsEveryMs: 20,
      outbox: { ...LIMITS, ...outbox },
    });
    links.push(link);
    const agent = await link.connect({ name: 'scribe', kind: 'scribe', version: '1.0.0', labels: { team: 'atlas' } });
    return { link, agent };
  };
  const bodies = (signal: string) =>
    server.records(signal).map((line) => (line['body'] as Json | undefined)?.['stringValue']);

  beforeAll(() => server.start());
  afterEach(async () => {
    server.gate = () => undefined;
    for (const link of links.splice(0)) await link.close(1_000);
    server.agents.clear();
    server.bodies.length = 0;
  });
  afterAll(() => server.stop());

  test('a restart of the platform loses nothing and changes no body', async () => {
    const { link, agent } = await joined();
    const attempts: string[] = [];
    server.gate = (path, body) => {
      if (!path.startsWith('/v1/logs')) return undefined;
      attempts.push(body);
      return attempts.length < 3 ? { status: 503, headers: { 'retry-after': '0' }, body: '' } : undefined;
    };
    agent.log.info('line 0');
    await until(() => bodies('logs').includes('line 0'));
    expect(new Set(attempts).size).toBe(1);
    await server.stop();
    for (let number = 1; number <= 200; number++) agent.log.info(`line ${number}`);
    await until(() => link.counts.waiting >= 200);
    await server.start();
    await until(() => bodies('logs').includes('line 200'));
    expect(bodies('logs').filter((body) => String(body).startsWith('line '))).toEqual(
      Array.from({ length: 201 }, (_, number) => `line ${number}`),
    );
    expect(link.counts).toMatchObject({ dropped: 0, rejected: 0 });
  });

  test('beyond its bound it keeps what came first and counts the rest', async () => {
    const { link, agent } = await joined({ maxRecords: 10 });
    server.gate = (path) =>
      path.startsWith('/v1/') ? { status: 429, headers: { 'retry-after': '1' }, body: '' } : undefined;
    for (let number = 0; number < 25; number++) agent.log.warn(`line ${number}`);
    expect(link.counts).toMatchObject({ waiting: 10, dropped: 15 });
    expect(await link.flush(30)).toBe(false);
    server.gate = () => undefined;
    await until(() => bodies('logs').includes('line 9'));
    expect(bodies('logs')).toHaveLength(10);
  });

  test('what the platform will never take is counted, in part or whole, and not sent again', async () => {
    const { link, agent } = await joined();
    let refused = 0;
    server.gate = (path, body) => {
      if (path !== '/v1/logs') return undefined;
      refused++;
      if (body.includes('malformed')) return { status: 400, body: { message: 'malformed' } };
      return { body: { partialSuccess: { rejectedLogRecords: '1', errorMessage: 'too old' } } };
    };
    agent.log.error('malformed');
    await until(() => link.counts.rejected === 1);
    agent.log.fatal('fine');
    agent.log.debug('old');
    await until(() => link.counts.rejected === 2);
    expect(refused).toBe(2);
    server.gate = (path) => (path === '/v1/logs' ? { body: '' } : undefined);
    const { sent } = link.counts;
    agent.log.trace('answered with nothing');
    await until(() => link.counts.sent > sent);
  });

  test('a large body is closed early, and what is given up is counted', async () => {
    const sent: string[] = [];
    const stuck = new Outbox(
      () => Promise.reject(Object.assign(new Error('away'), { retryable: true, retryAfterMs: 5 })),
      machine(),
      LIMITS,
    );
    const outbox = new Outbox(async (_, body) => ({ rejected: sent.push(body) * 0 }), machine(), {
      ...LIMITS,
      batchBytes: 100,
      flushEveryMs: 60_000,
    });
    outbox.add('logs', '{}', JSON.stringify({ body: 'x'.repeat(200) }));
    await until(() => sent.length === 1);
    stuck.add('logs', '{}', '{}');
    expect(await stuck.flush(20)).toBe(false);
    stuck.stop();
    stuck.add('logs', '{}', '{}');
    expect(stuck.counts).toEqual({ sent: 0, dropped: 2, rejected: 0, waiting: 0 });
    outbox.add('traces', '{}', '{}');
    outbox.add('traces', '{}', '{}');
    expect(await outbox.flush(1_000)).toBe(true);
    expect(sent).toHaveLength(2);
    outbox.stop();
  });

  test('an agent’s lines, values and spans bear its resource', async () => {
    const { agent, link } = await joined();
    agent.metric('queue_length', 4, { queue: 'inbox' });
    agent.counter('jobs_total');
    agent.counter('jobs_total', 2);
    agent.histogram('job_seconds', 0.3);
    agent.histogram('job_seconds', 99);
    expect(() => agent.metric('jobs_total', 1)).toThrow(TypeError);
    await agent.span('read', { path: '/a', deep: true, ratio: 0.5, tags: ['x'], none: undefined }, () => undefined);
    await link.flush();
    const [batch] = server.bodies.filter(({ signal }) => signal === 'traces');
    expect(batch?.token).toBe(agent.identity.token);
    const [{ resource }] = (JSON.parse(batch?.body ?? '') as { resourceSpans: [{ resource: { attributes: Json[] } }] })
      .resourceSpans;
    expect(resource.attributes).toEqual(
      keyValues({
        'service.name': 'scribe',
        'service.version': '1.0.0',
        'service.instance.id': agent.id,
        'fleet.label.team': 'atlas',
        'fleet.agent.id': agent.id,
        'fleet.agent.kind': 'scribe',
      }),
    );
    const metrics = Object.fromEntries(server.records('metrics').map((metric) => [metric['name'], metric]));
    expect(metrics).toMatchObject({
      queue_length: { gauge: { dataPoints: [{ asDouble: 4, attributes: keyValues({ queue: 'inbox' }) }] } },
      jobs_total: { sum: { isMonotonic: true, aggregationTemporality: 2, dataPoints: [{ asDouble: 3 }] } },
      job_seconds: { histogram: { dataPoints: [{ count: '2', sum: 99.3 }] } },
    });
    const [span] = server.records('traces');
    expect(span?.['attributes']).toEqual([
      { key: 'path', value: { stringValue: '/a' } },
      { key: 'deep', value: { boolValue: true } },
      { key: 'ratio', value: { doubleValue: 0.5 } },
      { key: 'tags', value: { arrayValue: { values: [{ stringValue: 'x' }] } } },
    ]);
  });

  test('of a share of the traces all is told, of the others what failed and what was spent; who is called is told so', async () => {
    const draws = [0.05, 0.5];
    const surroundings = { ...machine(), random: () => draws[0] ?? 0 };
    const outbox = { add: (_signal: string, _resource: string, record: string) => told.push(JSON.parse(record).name) };
    const told: string[] = [];
    const reporter = new Reporter(outbox as never, surroundings, { 'service.name': 's' }, undefined, 0.1);
    const carried: string[] = [];
    const work = () =>
      reporter.span('outer', {}, async (outer) => {
        carried.push(outer.traceparent.slice(-2));
        await reporter.span('chat', {}, (span) =>
          span.spend({ provider: 'p', model: 'm', inputTokens: 1, outputTokens: 1 }),
        );
        await reporter.span('broken', {}, (span) => span.fail('no'));
        await reporter.span('plain', {}, () => {});
      });
    await work();
    draws.shift();
    await work();
    expect(told).toEqual(['chat', 'broken', 'plain', 'outer', 'chat', 'broken']);
    expect(carried).toEqual(['01', '00']);
    await reporter.span('called', {}, () => {}, { parent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00` });
    await reporter.span('called', {}, () => {}, { parent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` });
    expect(told.slice(6)).toEqual(['called']);
  });

  test('a task that crosses agents is one trace, with its lines', async () => {
    const { agent, link } = await joined();
    let carried = '';
    await agent.span('ask', {}, async (span) => {
      carried = span.traceparent;
      expect(agent.traceparent).toBe(carried);
      expect(currentSpan()).toBe(span);
      agent.log.info('asking');
      span.event('sent', { to: 'other' });
    });
    expect(agent.traceparent).toBeUndefined();
    await agent.task(
      'answer',
      {},
      (span) => span.spend({ provider: 'openai', model: 'gpt-5', inputTokens: 10, outputTokens: 2 }),
      { parent: carried },
    );
    await expect(
      agent.span('break', {}, () => Promise.reject(new TypeError('no')), { parent: carried }),
    ).rejects.toThrow('no');
    await agent.span('flag', {}, (span) => span.fail('half'), { parent: 'nonsense' });
    await link.flush();
    const [ask, answer, broken, flagged] = server.records('traces') as [Json, Json, Json, Json];
    expect(readTraceparent(carried)).toEqual({ traceId: ask['traceId'], spanId: ask['spanId'] });
    expect(answer).toMatchObject({ traceId: ask['traceId'], parentSpanId: ask['spanId'], kind: 5 });
    expect(answer['attributes']).toEqual(
      expect.arrayContaining([{ key: 'gen_ai.usage.input_tokens', value: { intValue: '10' } }]),
    );
    expect(broken).toMatchObject({
      parentSpanId: ask['spanId'],
      status: { code: 2, message: 'no' },
      events: [{ name: 'exception' }],
    });
    expect(flagged).toMatchObject({ status: { code: 2, message: 'half' } });
    expect(flagged['parentSpanId']).toBeUndefined();
    expect(server.records('logs')).toMatchObject([{ traceId: ask['traceId'], spanId: ask['spanId'] }]);
  });

  test('fetch carries the trace and is a span of its own', async () => {
    const { agent, link } = await joined();
    server.fields['echo'] = () => 'hello';
    const response = await agent.fetch(`${server.url}/graphql`, {
      method: 'POST',
      body: JSON.stringify({ query: '{ echo }' }),
    });
    expect(await response.json()).toEqual({ data: { echo: 'hello' } });
    server.gate = (path) => (path === '/broken' ? { status: 500, body: 'no' } : undefined);
    await agent.fetch(`${server.url}/broken`);
    await link.flush();
    expect(server.records('traces')).toMatchObject([
      { name: 'POST', kind: 3, status: {} },
      { name: 'GET', kind: 3, status: { code: 2, message: 'answered 500' } },
    ]);
  });
});

describe('the forms of telemetry', () => {
  test('a traceparent is read as W3C states it, and nothing else is', () => {
    const context = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
    expect(readTraceparent(writeTraceparent(context))).toEqual(context);
    expect(readTraceparent(`cc-${context.traceId}-${context.spanId}-01-later`)).toEqual(context);
    for (const wrong of [
      undefined,
      7,
      '',
      `ff-${context.traceId}-${context.spanId}-01`,
      `00-${'0'.repeat(32)}-${context.spanId}-01`,
      `00-${context.traceId}-${'0'.repeat(16)}-01`,
    ]) {
      expect(readTraceparent(wrong)).toBeUndefined();
    }
    expect(traceDigits(16, () => 0)).toBe('0000000000000001');
    expect(traceDigits(32, Math.random)).toMatch(/^[0-9a-f]{32}$/);
  });

  test('times are whole nanoseconds, bodies are grouped by resource', () => {
    expect(nanos(1_700_000_000_000.25)).toBe('1700000000000250000');
    expect(JSON.parse(exportBody('logs', new Map([['{"attributes":[]}', ['{"a":1}', '{"b":2}']]])))).toMatchObject({
      resourceLogs: [
        {
          resource: { attributes: [] },
          scopeLogs: [{ scope: { name: 'fleetgraph-sdk' }, logRecords: [{ a: 1 }, { b: 2 }] }],
        },
      ],
    });
  });

  test('an agent has at most a thousand series', () => {
    const instruments = new Instruments(0);
    for (let number = 0; number < 1_005; number++) {
      instruments.count('jobs_total', 1, { job: number });
      instruments.observe('seconds', 1, { job: number });
    }
    expect(instruments.dropped).toBe(1_010);
  });

  test('the machine’s clock follows the wall, and its sleep ends with its signal', async () => {
    const surroundings = machine();
    expect(Math.abs(surroundings.nowMs() - Date.now())).toBeLessThan(1_000);
    const over = new AbortController();
    const slept = surroundings.sleep(60_000, over.signal);
    over.abort();
    await slept;
    await surroundings.sleep(60_000, over.signal);
    const wall = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(wall + 3_600_000);
    expect(surroundings.nowMs()).toBe(wall + 3_600_000);
    jest.restoreAllMocks();
  });
});
