import { gzipSync, zstdCompressSync } from 'node:zlib';
import { Writer } from 'protobufjs/minimal';
import { FleetError } from '../../lib/errors.ts';
import { exportAnswer, failureAnswer, logsOf, metricPointsOf, readOtlp, spansOf } from '../../lib/otlp/index.ts';
import { decodeMessage } from '../../lib/otlp/protobuf.ts';

const json = (signal: 'logs' | 'metrics' | 'traces', message: unknown) =>
  readOtlp(signal, { headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(message)) });

const logRequest = (...logRecords: object[]) => ({
  resourceLogs: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'planner' } }] },
      scopeLogs: [{ scope: { name: 'scope' }, logRecords }],
    },
  ],
});

describe('OTLP/JSON logs', () => {
  test('a record keeps its nanoseconds, ids and typed attributes', async () => {
    const request = logRequest({
      timeUnixNano: '1700000000123456789',
      observedTimeUnixNano: '1700000000123456790',
      severityNumber: 17,
      severityText: 'ERROR',
      body: { stringValue: 'it broke' },
      traceId: 'ABCDEF0123456789abcdef0123456789',
      spanId: 'abcdef0123456789',
      eventName: 'broke',
      attributes: [
        { key: 'a.b', value: { intValue: '42' } },
        { key: 'big', value: { intValue: '9007199254740993' } },
        { key: 'd', value: { doubleValue: 0.5 } },
        { key: 'nan', value: { doubleValue: 'NaN' } },
        { key: 'yes', value: { boolValue: true } },
        { key: 'list', value: { arrayValue: { values: [{ stringValue: 'x' }, {}] } } },
        { key: 'map', value: { kvlistValue: { values: [{ key: '__proto__', value: { intValue: 1 } }] } } },
        { key: 'bytes', value: { bytesValue: 'AQI=' } },
        { key: 'none' },
      ],
      someFieldOfTheFuture: { x: 1 },
    });

    const { records, rejected } = logsOf((await json('logs', request)).message);

    expect(rejected).toEqual([]);
    expect(records).toEqual([
      {
        resource: { 'service.name': 'planner' },
        service: 'planner',
        agentId: null,
        scope: 'scope',
        timeNs: '1700000000123456789',
        observedNs: '1700000000123456790',
        severity: 17,
        severityText: 'ERROR',
        body: 'it broke',
        attributes: {
          'a.b': 42,
          big: '9007199254740993',
          d: 0.5,
          nan: 'NaN',
          yes: true,
          list: ['x', null],
          map: JSON.parse('{"__proto__":1}'),
          bytes: 'AQI=',
          none: null,
          'event.name': 'broke',
        },
        traceId: 'abcdef0123456789abcdef0123456789',
        spanId: 'abcdef0123456789',
      },
    ]);
  });

  test.each([
    [{ severityNumber: 25 }, 'the severity number is not in 0 to 24'],
    [{ severityNumber: 'SEVERITY_NUMBER_INFO' }, 'the severity number is not in 0 to 24'],
    [{ traceId: 'abcd' }, 'the trace id does not have 16 bytes'],
    [{ traceId: '0'.repeat(32) }, 'the trace id is all zeros'],
    [{ spanId: 'x'.repeat(16) }, 'the span id does not have 8 bytes'],
    [{ timeUnixNano: 'soon' }, 'the time is not a whole number'],
    [{ timeUnixNano: '-1' }, 'the time is out of range'],
    [{ body: { stringValue: 'a\u0000b' } }, 'a value contains U+0000'],
    [{ body: { stringValue: 'a\ud800b' } }, 'a value is not valid UTF-8'],
    [{ body: { stringValue: 7 } }, 'a value is not text'],
    [{ body: 'bare' }, 'a value is not an object'],
    [{ body: { intValue: 1.5 } }, 'an integer value is not a whole number'],
    [{ body: { doubleValue: 'much' } }, 'a value is not a number'],
    [{ attributes: 'none' }, 'attributes is not a list'],
  ])('%j is refused alone, with its reason', async (bad, reason) => {
    const { message } = await json('logs', logRequest({ body: { stringValue: 'good' } }, bad, {}));
    const { records, rejected } = logsOf(message);
    expect(records.map(({ body }) => body)).toEqual(['good', '']);
    expect(rejected).toEqual([{ index: 1, reason }]);
  });

  test('values nested too deep are refused, structured bodies become JSON', async () => {
    const nested = (depth: number): object =>
      depth ? { arrayValue: { values: [nested(depth - 1)] } } : { intValue: 1 };
    const { records, rejected } = logsOf(
      (await json('logs', logRequest({ body: nested(40) }, { body: nested(2) }))).message,
    );
    expect(records.map(({ body }) => body)).toEqual(['[[1]]']);
    expect(rejected[0]?.reason).toMatch(/nested deeper/);
  });

  test('a malformed resource refuses its records, a malformed request everything', async () => {
    const broken = { resource: { attributes: [{ key: '\u0000' }] }, scopeLogs: [{ logRecords: [{}, {}] }] };
    const { message } = await json('logs', { resourceLogs: [broken, ...logRequest({}).resourceLogs] });
    expect(logsOf(message).rejected.map(({ index }) => index)).toEqual([0, 1]);
    expect(() => logsOf({ resourceLogs: 7 })).toThrow('malformed: resourceLogs is not a list');
    await expect(json('logs', [])).rejects.toThrow('not an object');
  });
});

describe('protobuf', () => {
  /** A LogsData with one record: severity, body and one unknown field. */
  const bytesOf = (body: Buffer) => {
    const value = Writer.create().uint32(10).bytes(body).finish();
    const record = Writer.create()
      .uint32(16)
      .int32(9)
      .uint32(42)
      .bytes(value)
      .uint32(90)
      .bytes(Buffer.from([1]))
      .finish();
    const scoped = Writer.create().uint32(18).bytes(record).finish();
    return Buffer.from(Writer.create().uint32(10).bytes(Writer.create().uint32(18).bytes(scoped).finish()).finish());
  };
  const read = (body: Buffer, headers = {}) =>
    readOtlp('logs', { headers: { 'content-type': 'application/x-protobuf', ...headers }, body });

  test('bytes that are not UTF-8 refuse their record', async () => {
    expect(logsOf((await read(bytesOf(Buffer.from('fine')))).message).records).toMatchObject([
      { body: 'fine', severity: 9 },
    ]);
    expect(logsOf((await read(bytesOf(Buffer.from([0xff])))).message).rejected).toEqual([
      { index: 0, reason: 'a value is not valid UTF-8' },
    ]);
  });

  test('gzip, zstd and plain bodies are the same; cut, wrong or oversized ones are told', async () => {
    const body = bytesOf(Buffer.from('packed'));
    const same = await Promise.all([
      read(body),
      read(gzipSync(body), { 'content-encoding': 'gzip' }),
      read(zstdCompressSync(body), { 'content-encoding': 'zstd' }),
    ]);
    for (const { message } of same) expect(logsOf(message).records[0]?.body).toBe('packed');
    await expect(read(body.subarray(0, -2))).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(read(body, { 'content-encoding': 'gzip' })).rejects.toThrow('the body is not gzip');
    await expect(read(body, { 'content-encoding': 'lzw' })).rejects.toThrow('content-encoding lzw is not known');
    await expect(read(body, { 'content-type': 'text/plain' })).rejects.toThrow('content-type must be');
    const bomb = gzipSync(Buffer.alloc(17 * 1024 * 1024));
    await expect(read(bomb, { 'content-encoding': 'gzip' })).rejects.toMatchObject({ code: 'QUERY_TOO_LARGE' });
    await expect(read(Buffer.alloc(17 * 1024 * 1024))).rejects.toMatchObject({ code: 'QUERY_TOO_LARGE' });
    const notUtf8 = { headers: { 'content-type': 'application/json' }, body: Buffer.from([0x22, 0xff, 0x22]) };
    await expect(readOtlp('logs', notUtf8)).rejects.toThrow('not UTF-8');
  });

  test('nesting without end, fields over their message and cut lists are refused', () => {
    const self: Record<number, never> = {};
    Object.assign(self, { 1: ['deeper', self] });
    let bytes = Buffer.alloc(0);
    for (let depth = 0; depth < 70; depth += 1) bytes = Buffer.from(Writer.create().uint32(10).bytes(bytes).finish());
    expect(() => decodeMessage(bytes, self)).toThrow('nested deeper');
    const short = { 1: ['inner', { 1: ['text', 'string'] }] } as const;
    expect(() => decodeMessage(Buffer.from([10, 2, 10, 2, 97, 98]), short)).toThrow('runs over');
    expect(() => decodeMessage(Buffer.from([10, 9]), { 1: ['list', 'doubles'] })).toThrow('cut off');
  });

  test('lists come packed or not, and a field of another wire type is an unknown one', () => {
    const packed = Writer.create().uint32(10).fork().uint64(1).uint64('18446744073709551615').ldelim().finish();
    const single = Writer.create().uint32(8).uint64(7).finish();
    const table = { 1: ['list', 'uint64s'], 2: ['text', 'string'] } as const;
    expect(decodeMessage(packed, table)).toEqual({ list: ['1', '18446744073709551615'] });
    expect(decodeMessage(single, table)).toEqual({ list: ['7'] });
    expect(decodeMessage(Writer.create().uint32(16).uint32(1).finish(), table)).toEqual({});
  });
});

describe('traces and metrics', () => {
  const spanRequest = (span: object) => ({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  const good = {
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    name: 'call',
    startTimeUnixNano: '10',
    endTimeUnixNano: '30',
  };

  test('a span has its ids, kind, events, links and status', async () => {
    const span = {
      ...good,
      parentSpanId: 'c'.repeat(16),
      kind: 3,
      events: [{ timeUnixNano: '20', name: 'retry', attributes: [{ key: 'n', value: { intValue: 1 } }] }],
      links: [{ traceId: 'd'.repeat(32), spanId: 'e'.repeat(16) }],
      status: { code: 2, message: 'no' },
    };
    const { records } = spansOf((await json('traces', spanRequest(span))).message);
    expect(records).toMatchObject([
      {
        service: 'unknown_service',
        parentSpanId: 'c'.repeat(16),
        kind: 'CLIENT',
        startNs: '10',
        endNs: '30',
        events: [{ timeNs: '20', name: 'retry', attributes: { n: 1 } }],
        links: [{ traceId: 'd'.repeat(32), spanId: 'e'.repeat(16), attributes: {} }],
        statusCode: 2,
        statusMessage: 'no',
      },
    ]);
  });

  test('a root has no parent, a span without ids or start is refused, an end before the start is the start', async () => {
    const read = async (span: object) => spansOf((await json('traces', spanRequest(span))).message);
    expect((await read({ ...good, parentSpanId: '0'.repeat(16) })).records[0]?.parentSpanId).toBeNull();
    expect((await read({ ...good, endTimeUnixNano: '5' })).records[0]?.endNs).toBe('10');
    expect((await read({ ...good, traceId: undefined })).rejected[0]?.reason).toBe('a trace id is missing');
    expect((await read({ ...good, spanId: '' })).rejected[0]?.reason).toBe('a span id is missing');
    expect((await read({ ...good, startTimeUnixNano: 0 })).rejected[0]?.reason).toBe('a start is missing');
  });

  const metricRequest = (...metrics: object[]) => ({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });

  test('every kind of data point is read', async () => {
    const point = {
      timeUnixNano: '1000',
      startTimeUnixNano: '1',
      attributes: [{ key: 'k', value: { stringValue: 'v' } }],
    };
    const { message } = await json(
      'metrics',
      metricRequest(
        {
          name: 'g',
          unit: 'By',
          description: 'd',
          gauge: {
            dataPoints: [
              { ...point, asInt: '7' },
              { ...point, flags: 1 },
            ],
          },
        },
        { name: 's', sum: { isMonotonic: true, aggregationTemporality: 2, dataPoints: [{ ...point, asDouble: 1.5 }] } },
        {
          name: 'h',
          histogram: {
            aggregationTemporality: 1,
            dataPoints: [{ ...point, count: '3', sum: 6, min: 1, bucketCounts: ['1', '2'], explicitBounds: [5] }],
          },
        },
        {
          name: 'e',
          exponentialHistogram: {
            dataPoints: [
              { ...point, count: 2, scale: -1, zeroCount: '1', positive: { offset: -2, bucketCounts: [1] } },
            ],
          },
        },
        {
          name: 'q',
          summary: { dataPoints: [{ ...point, count: 2, sum: 3, quantileValues: [{ quantile: 0.5, value: 1 }] }] },
        },
        { name: 'nothing' },
      ),
    );
    const { records, rejected } = metricPointsOf(message);
    expect(rejected).toEqual([]);
    expect(records).toMatchObject([
      {
        type: 'gauge',
        metric: 'g',
        unit: 'By',
        description: 'd',
        value: 7,
        timeNs: '1000',
        startNs: '1',
        attributes: { k: 'v' },
      },
      { type: 'gauge', noValue: true, value: 0 },
      { type: 'sum', value: 1.5, monotonic: true, temporality: 'CUMULATIVE' },
      { type: 'histogram', count: 3, sum: 6, min: 1, max: null, bounds: [5], counts: [1, 2], temporality: 'DELTA' },
      {
        type: 'exponentialHistogram',
        scale: -1,
        zeroCount: 1,
        positive: { offset: -2, counts: [1] },
        negative: { offset: 0, counts: [] },
      },
      { type: 'summary', count: 2, sum: 3, quantiles: [{ quantile: 0.5, value: 1 }] },
    ]);
  });

  test.each([
    [{ name: '', gauge: { dataPoints: [{}] } }, 'the metric has no name'],
    [
      { name: 'h', histogram: { dataPoints: [{ bucketCounts: [1], explicitBounds: [1] }] } },
      'a histogram has one count more than bounds',
    ],
    [
      { name: 'h', histogram: { dataPoints: [{ bucketCounts: [1, 1, 1], explicitBounds: [2, 1] }] } },
      'a histogram’s bounds must rise',
    ],
    [{ name: 'h', histogram: { dataPoints: [{ count: -1 }] } }, 'a count is negative'],
    [{ name: 'h', histogram: { dataPoints: [{ bucketCounts: 1 }] } }, 'counts are not a list'],
    [{ name: 'h', histogram: { dataPoints: [{ explicitBounds: 1 }] } }, 'bounds are not a list'],
  ])('%j is refused', async (metric, reason) => {
    expect(metricPointsOf((await json('metrics', metricRequest(metric))).message).rejected).toEqual([
      { index: 0, reason },
    ]);
  });
});

describe('answers', () => {
  const refused = [...Array(3).keys()].map((index) => ({ index, reason: 'bad' }));

  test('a partial success says how many and why, in the request’s encoding', () => {
    expect(exportAnswer('logs', 'json', [])).toMatchObject({ status: 200, body: '{}' });
    expect(JSON.parse(String(exportAnswer('traces', 'json', refused).body))).toEqual({
      partialSuccess: { rejectedSpans: '3', errorMessage: 'bad (3 records, first 0)' },
    });
    const answer = exportAnswer('logs', 'protobuf', refused.slice(0, 1));
    const partial = { 1: ['rejected', 'int64'], 2: ['message', 'string'] } as const;
    expect(decodeMessage(answer.body as Buffer, { 1: ['partialSuccess', partial] })).toEqual({
      partialSuccess: { rejected: '1', message: 'bad (record 0)' },
    });
    expect(exportAnswer('logs', 'protobuf', []).body).toHaveLength(0);
  });

  test('a failure is a google.rpc.Status; what may pass says when to come again', () => {
    const overloaded = new FleetError('OVERLOADED', 'later', { retryAfterMs: 1_500 });
    expect(failureAnswer(overloaded, 'application/json')).toMatchObject({
      status: 429,
      headers: { 'retry-after': '2' },
      body: '{"code":8,"message":"later"}',
    });
    const away = failureAnswer(new FleetError('TIMEOUT', 'away'), 'application/x-protobuf');
    expect(away).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(decodeMessage(away.body as Buffer, { 1: ['code', 'enum'], 2: ['message', 'string'] })).toEqual({
      code: 14,
      message: 'away',
    });
    expect(failureAnswer(new FleetError('BAD_INPUT', 'x'), undefined).status).toBe(400);
    expect(failureAnswer(new FleetError('FORBIDDEN', 'x'), undefined).status).toBe(403);
    expect(failureAnswer(new FleetError('BAD_INPUT', 'x', { status: 415 }), undefined).status).toBe(415);
    expect(() => failureAnswer(new Error('bug'), undefined)).toThrow('bug');
  });
});
