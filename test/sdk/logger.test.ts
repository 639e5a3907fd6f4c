import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import Ajv from 'ajv';
import fc from 'fast-check';
import { type Fields, FleetLink, Logger, type LogLevel, logLine, machine, StreamSink } from '../../sdk/index.ts';
import transport from '../../sdk/pino-transport.ts';
import { Outbox } from '../../sdk/telemetry/outbox.ts';
import { Reporter } from '../../sdk/telemetry/reporter.ts';
import { until } from '../support/until.ts';
import { ContractServer } from './contract-server.ts';

type Json = Record<string, unknown>;

const schema = JSON.parse(readFileSync(path.resolve(__dirname, '../../docs/log-line.schema.json'), 'utf8'));
const validate = new Ajv().compile(schema);
const LEVELS: LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const CONTEXT = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };

/** A logger into a list. */
function listed(options: Partial<Parameters<typeof Logger.open>[0]> = {}) {
  const lines: string[] = [];
  const to = { write: (line: string) => void lines.push(line) };
  const log = Logger.open({ service: 'tests', to, nowMs: () => 0, ...options });
  return { log, lines, last: () => JSON.parse(lines.at(-1) as string) as Json };
}

describe('a line', () => {
  test('has the published schema, level, bound fields, agent and trace', () => {
    const { log, lines, last } = listed({ agentId: 'agent-1', fields: { team: 'atlas' }, context: () => CONTEXT });
    const child = log.child({ job: 7, team: 'borealis' });
    child.trace('too fine');
    child.debug('too fine');
    expect(lines).toEqual([]);
    child.warn('odd', { job: 8, service: 'mine' });
    expect(last()).toEqual({
      time: '1970-01-01T00:00:00.000Z',
      level: 'warn',
      service: 'tests',
      event: 'odd',
      agentId: 'agent-1',
      ...CONTEXT,
      team: 'borealis',
      job: 8,
      'fields.service': 'mine',
    });
    for (const level of LEVELS) listed({ level: 'trace' }).log.log(level, level);
    const all = listed({ level: 'trace' });
    for (const level of LEVELS) all.log[level](level);
    expect(all.lines.map((line) => (JSON.parse(line) as Json)['level'])).toEqual(LEVELS);
    expect(all.lines.every((line) => validate(JSON.parse(line)))).toBe(true);
  });

  test('tells an error with its type, code, stack and causes', () => {
    const { log, last } = listed();
    const cause = new RangeError('too far');
    log.error('charge failed', Object.assign(new TypeError('no card', { cause }), { code: 'E_CARD' }));
    expect(last()).toMatchObject({
      event: 'charge failed',
      error: 'no card',
      errorType: 'TypeError',
      errorCode: 'E_CARD',
    });
    expect(last()['stack']).toMatch(/TypeError: no card\n {4}at .*[\s\S]*caused by: RangeError: too far/);
    log.error('refused', { err: new Error('no'), order: 4 });
    expect(last()).toMatchObject({ error: 'no', order: 4 });
    log.error('refused', { error: { code: 4 } });
    expect(last()['error']).toBe('{"code":4}');
  });

  test('has no secret, by its name or by its looks, however deep', () => {
    const { log, last } = listed();
    const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl';
    log.info(`asked with Bearer ${'x'.repeat(20)}`, {
      password: 'planted',
      adminToken: 'planted',
      deep: [{ 'api-key': 'planted', header: `authorization: Basic ${'eA'.repeat(10)}`, jwt }],
      key: '-----BEGIN RSA PRIVATE KEY-----\nplanted\n-----END RSA PRIVATE KEY-----',
      error: new Error(`refused ${jwt}`),
      inputTokens: 12,
      token_count: 'many',
      hasSecret: true,
    });
    const text = JSON.stringify(last());
    expect(text).not.toMatch(/planted|eyJ|xxxx|eAeA/);
    expect(last()).toMatchObject({ inputTokens: 12, token_count: 'many', hasSecret: true });
  });

  test('is written whatever the fields are, and bounded', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
      withSparseArray: true,
      maxDepth: 4,
    });
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.dictionary(fc.string({ unit: 'binary' }), anything),
        (event, fields) => {
          const line = logLine({ service: 'tests' }, { level: 'info', timeMs: 0, event, fields });
          expect(validate(JSON.parse(line)) || validate.errors).toBe(true);
          expect(line).not.toContain('\n');
        },
      ),
    );
    const round: Json = { name: 'round' };
    for (let key = 0; key < 90; key += 1) round[`k${key}`] = round;
    const hostile = {
      long: 'x'.repeat(1_000_000),
      get thrown() {
        return {
          toJSON: () => null,
          get inner() {
            throw new Error('no');
          },
        };
      },
      symbol: Symbol('s'),
      work: () => 1,
      never: undefined,
      nothing: null,
      nan: Number.NaN,
      when: new Date(Number.NaN),
      round,
    };
    const { log, last, lines } = listed();
    log.info('hostile', hostile);
    expect(last()).toMatchObject({
      thrown: '[unreadable]',
      symbol: '[symbol]',
      work: '[function]',
      nothing: null,
      nan: 'NaN',
    });
    expect(last()).toHaveProperty('when', 'Invalid Date');
    expect((lines.at(-1) as string).length).toBeLessThan(100_000);
    const getter = {
      get broken(): string {
        throw new Error('no');
      },
    };
    expect(() => log.info('broken', getter as Fields)).not.toThrow();
    const broken = listed({
      to: {
        write: () => {
          throw new Error('full');
        },
      },
    });
    expect(() => broken.log.error('lost')).not.toThrow();
  });
});

describe('a stream that is slow', () => {
  test('keeps lines in order up to a bound, then drops and says how many', async () => {
    const taken: string[] = [];
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const slow = new Writable({
      highWaterMark: 1,
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        void gate.then(() => {
          taken.push(chunk);
          done();
        });
      },
    });
    const sink = new StreamSink(slow, (dropped) => JSON.stringify({ dropped }), 50);
    for (let number = 0; number < 100; number += 1) sink.write(`line ${String(number).padStart(3, '0')}`);
    expect(sink.dropped).toBe(93);
    go();
    await until(() => taken.length === 8);
    expect(taken.map((line) => line.trim())).toEqual([
      ...[0, 1, 2, 3, 4, 5, 6].map((number) => `line 00${number}`),
      '{"dropped":93}',
    ]);
    sink.write('again');
    await until(() => taken.length === 9);
  });

  test('that breaks ends nothing', async () => {
    const pipe = new PassThrough();
    const log = Logger.open({ service: 'tests', to: pipe });
    pipe.destroy(new Error('EPIPE'));
    await until(() => pipe.closed);
    for (let number = 0; number < 10; number += 1) log.info('into nothing');
    const sink = new StreamSink(
      {
        write: () => {
          throw new Error('gone');
        },
        once: () => 0,
        on: () => 0,
      },
      String,
    );
    sink.write('a');
    sink.write('b');
    expect(sink.dropped).toBe(2);
  });
});

describe('an agent’s lines', () => {
  test('go as JSON too, in their span or in a trace of their own, without secrets', async () => {
    const lines: Json[] = [];
    const bodies: string[] = [];
    const post = async (_signal: string, body: string) => {
      bodies.push(body);
      return { rejected: 0 };
    };
    const outbox = new Outbox(post, machine());
    const resource = { 'service.name': 'scribe', 'fleet.agent.id': 'id-scribe' };
    const reporter = new Reporter(outbox, machine(), resource, { write: (line) => void lines.push(JSON.parse(line)) });
    reporter.tell('fatal', 'killed', { 'user.password': 'planted', pid: 7 });
    await reporter.span('work', {}, (span) => {
      reporter.tell('info', `Bearer ${'planted'.repeat(3)}`, {});
      expect(lines.at(-1)).toMatchObject({ traceId: span.context.traceId, event: '[redacted]' });
    });
    await outbox.flush(1_000);
    expect(lines.every((line) => validate(line))).toBe(true);
    expect(lines[0]).toMatchObject({ service: 'scribe', agentId: 'id-scribe', level: 'fatal', pid: 7 });
    const text = bodies.join();
    expect(text).toContain(
      `"traceId":"${lines[0]?.['traceId']}","spanId":"${lines[0]?.['spanId']}","flags":1,"name":"killed"`,
    );
    expect(text + JSON.stringify(lines)).not.toContain('planted');
  });
});

describe('the transport of pino', () => {
  const server = new ContractServer();
  beforeAll(() => server.start());
  afterAll(() => server.stop());

  const line = (fields: object) =>
    `${JSON.stringify({ level: 30, time: 1_767_225_600_123, pid: 1, hostname: 'h', ...fields })}\n`;

  test('sends its lines as log entries, with errors taken apart', async () => {
    const stream = transport({ service: 'shop', version: '1.2', agentId: 'id-shop', url: server.url, token: 'key' });
    const text =
      line({ msg: 'hello', order: { id: 7 }, trace_id: CONTEXT.traceId, span_id: CONTEXT.spanId }) +
      line({
        level: 50,
        msg: 'failed',
        err: {
          type: 'CardError',
          message: 'no card',
          stack: 'CardError: no card\n    at charge (/app/shop.js:1:1)',
          code: 'E_CARD',
        },
      }) +
      line({ level: 60, err: { message: 'gone' }, password: 'planted' }) +
      'not json\n' +
      line({ level: 'warn', time: '2026-01-01T00:00:00.123Z', msg: 'by name' });
    // Chunks end anywhere.
    for (let at = 0; at < text.length; at += 37) stream.write(text.slice(at, at + 37));
    await new Promise<void>((resolve) => stream.end(resolve));
    const records = server.records('logs');
    expect(records.map((record) => [record['severityText'], (record['body'] as Json)['stringValue']])).toEqual([
      ['INFO', 'hello'],
      ['ERROR', 'failed'],
      ['FATAL', 'gone'],
      ['INFO', 'not json'],
      ['WARN', 'by name'],
    ]);
    expect(records[0]).toMatchObject({ ...CONTEXT, timeUnixNano: '1767225600123000000' });
    expect(records[4]).toMatchObject({ timeUnixNano: '1767225600123000000' });
    const attributes = JSON.stringify(records[1]?.['attributes']);
    for (const told of ['CardError', 'no card', 'shop.js', 'E_CARD']) expect(attributes).toContain(told);
    expect(JSON.stringify(records)).not.toContain('planted');
    expect(server.bodies[0]?.token).toBe('key');
    expect(server.bodies[0]?.body).toContain('{"key":"service.version","value":{"stringValue":"1.2"}}');
  });

  test('without an address it writes lines of the published schema', async () => {
    const written: string[] = [];
    const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
    const stream = transport({ service: 'shop' });
    stream.write(
      line({ msg: 'hello', order: 7 }) +
        line({ level: 50, msg: 'failed', err: { type: 'E', message: 'no', stack: 's' } }),
    );
    await new Promise<void>((resolve) => stream.end(resolve));
    write.mockRestore();
    const told = written.map((text) => JSON.parse(text) as Json);
    expect(told.every((each) => validate(each))).toBe(true);
    expect(told).toMatchObject([
      { level: 'info', service: 'shop', event: 'hello', order: 7, time: '2026-01-01T00:00:00.123Z' },
      { level: 'error', event: 'failed', error: 'no', errorType: 'E', stack: 's' },
    ]);
  });
});

test('an agent that crashes says so before its process ends', async () => {
  const { reportCrashes } = await import('../../sdk/index.ts');
  const { EventEmitter } = await import('node:events');
  const server = new ContractServer();
  await server.start();
  const link = new FleetLink({ url: server.url, token: 'enrol' });
  const agent = await link.connect({ name: 'doomed', kind: 'doomed', version: '1' });
  const exits: number[] = [];
  const dying = Object.assign(new EventEmitter(), {
    exit: (code: number) => void exits.push(code),
    stderr: { write: () => true },
  });
  const undo = reportCrashes(agent, 2_000, dying as never);
  dying.emit('uncaughtException', Object.assign(new Error('the end'), { code: 'E_END' }));
  await until(() => exits.length === 1);
  expect(exits).toEqual([1]);
  expect(server.records('logs')).toMatchObject([{ severityText: 'FATAL', body: { stringValue: 'crashed' } }]);
  expect(JSON.stringify(server.records('logs'))).toContain('E_END');
  dying.emit('uncaughtException', 'once more');
  expect(exits).toEqual([1, 1]);
  undo();
  expect(dying.listenerCount('uncaughtException')).toBe(0);
  await link.close(500);
  await server.stop();
});
