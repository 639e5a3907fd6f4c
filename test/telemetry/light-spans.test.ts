import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import fc from 'fast-check';
import { SendingExporter } from '../../lib/telemetry/exporter.ts';
import { SpanQueue } from '../../lib/telemetry/span-queue.ts';
import { type EndedSpan, requestAround, spanText } from '../../lib/telemetry/span-text.ts';

const RESOURCE = { 'service.name': 'router', 'service.instance.id': 'router-1' };
const [BEFORE, AFTER] = requestAround(RESOURCE);

const hex = (digits: number) =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: digits, maxLength: digits })
    .map((numbers) => numbers.map((digit) => digit.toString(16)).join(''));
/** Whole microseconds of this century: finer than that, a double of milliseconds tells nothing. */
const time = fc.integer({ min: 1_000_000_000_000_000, max: 4_000_000_000_000_000 }).map((us) => us / 1_000);
const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const anySpan: fc.Arbitrary<EndedSpan> = fc.record(
  {
    traceId: hex(32),
    spanId: hex(16),
    parentSpanId: hex(16),
    isParentRemote: fc.boolean(),
    name: fc.string({ unit: 'binary' }),
    kind: fc.constantFrom('INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'),
    startedMs: time,
    endedMs: time,
    attributes: fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      value,
      { maxKeys: 5 },
    ),
    failure: fc.string(),
  },
  { requiredKeys: ['traceId', 'spanId', 'isParentRemote', 'name', 'kind', 'startedMs', 'endedMs', 'attributes'] },
);

const KINDS = ['INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const hrTime = (ms: number): [number, number] => {
  const us = Math.round(ms * 1_000);
  return [Math.floor(us / 1_000_000), (us % 1_000_000) * 1_000];
};

/** What the SDK's own serializer makes of the same span. */
function bySdk({ parentSpanId, failure, ...span }: EndedSpan): unknown {
  const { traceId, spanId, isParentRemote } = span;
  const readable: ReadableSpan = {
    name: span.name,
    kind: KINDS.indexOf(span.kind),
    spanContext: () => ({ traceId, spanId, traceFlags: 1 }),
    parentSpanContext: { traceId, spanId: parentSpanId ?? '', traceFlags: 1, isRemote: isParentRemote },
    startTime: hrTime(span.startedMs),
    endTime: hrTime(Math.max(span.startedMs, span.endedMs)),
    duration: [0, 0],
    status: failure === undefined ? { code: 0 } : { code: 2, message: failure },
    attributes: span.attributes,
    links: [],
    events: [],
    ended: true,
    resource: resourceFromAttributes(RESOURCE),
    instrumentationScope: { name: 'fleetgraph' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
  return JSON.parse(Buffer.from(JsonTraceSerializer.serializeRequest([readable]) as Uint8Array).toString());
}

/** What the protobuf mapping to JSON takes for equal: defaults may be left out, 64-bit numbers be strings or numbers. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.length ? value.map(plain) : undefined;
  if (typeof value !== 'object' || value === null) return value === 0 || value === '' ? undefined : value;
  const entries = Object.entries(value).map(([key, inner]) => {
    if (key === 'intValue' || key === 'doubleValue') return ['number', Number(inner)];
    return key.endsWith('Value') ? [key, inner] : [key, plain(inner)];
  });
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
}

test('the text of a span is what the SDK’s serializer makes of it', () => {
  fc.assert(
    fc.property(anySpan, (span) => {
      const told = JSON.parse(BEFORE + spanText(span) + AFTER);
      expect(plain(told)).toEqual(plain(bySdk(span)));
    }),
    { numRuns: 500 },
  );
});

test('what is no number of JSON’s is told as text', () => {
  const attributes = { none: Number.NaN, most: Number.POSITIVE_INFINITY };
  const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), isParentRemote: false };
  const text = spanText({ ...ids, name: 'x', kind: 'CLIENT', startedMs: 1, endedMs: 2, attributes });
  expect(JSON.parse(text).attributes).toEqual([
    { key: 'none', value: { stringValue: 'NaN' } },
    { key: 'most', value: { stringValue: 'Infinity' } },
  ]);
});

function queueTo(offer: (body: string) => void, lingerMs: number) {
  const nothing = () => Promise.resolve();
  const destination = {
    offer: (body: Uint8Array) => offer(Buffer.from(body).toString()),
    forceFlush: nothing,
    shutdown: nothing,
  };
  return new SpanQueue({ destinations: [destination], around: ['[', ']'], maxBatch: 3, lingerMs });
}

test('spans go by the batch, and the last of them when they waited long enough', async () => {
  const bodies: string[] = [];
  const all = new Promise<void>((resolve) => {
    const queue = queueTo((body) => {
      bodies.push(body);
      if (body.includes('7')) resolve();
    }, 20);
    for (let span = 1; span <= 7; span += 1) queue.push(String(span));
  });
  await all;
  expect(bodies).toEqual(['[1,2,3]', '[4,5,6]', '[7]']);
});

test('what waits is sent at the end', async () => {
  const bodies: string[] = [];
  const queue = queueTo((body) => bodies.push(body), 3_600_000);
  queue.push('1');
  await queue.shutdown();
  expect(bodies).toEqual(['[1]']);
});

test('while nobody takes them, batches beyond the bound are dropped and counted', async () => {
  const exporter = new SendingExporter(() => Promise.reject(new Error('away')), [3_600_000]);
  for (let batch = 0; batch < 20; batch += 1) exporter.offer(Buffer.from('{}'));
  expect(exporter.dropped).toBe(4);
  await exporter.shutdown();
  expect(exporter.dropped).toBe(20);
});
