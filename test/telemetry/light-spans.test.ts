import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import fc from 'fast-check';
import { parseOtlp } from '../../lib/otlp/envelope.ts';
import { SendingExporter } from '../../lib/telemetry/exporter.ts';
import { type EndedSpan, exportRequest, MAX_SPAN_BYTES, SpanPage } from '../../lib/telemetry/span-bytes.ts';
import { SpanQueue } from '../../lib/telemetry/span-queue.ts';

const RESOURCE = { 'service.name': 'router', 'service.instance.id': 'router-1' };

const hex = (digits: number) =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: digits, maxLength: digits })
    .map((numbers) => numbers.map((digit) => digit.toString(16)).join(''));
/** Whole microseconds of this century: finer than that, a double of milliseconds tells nothing. */
const time = fc.integer({ min: 1_000_000_000_000_000, max: 4_000_000_000_000_000 }).map((us) => us / 1_000);
/** Lone surrogates are no text: what UTF-8 makes of them is told. */
const text = fc.string({ unit: 'binary' }).map((made) => Buffer.from(made).toString());
const value = fc.oneof(text, fc.boolean(), fc.integer(), fc.double());
const anySpan: fc.Arbitrary<EndedSpan> = fc.record(
  {
    traceId: hex(32),
    spanId: hex(16),
    parentSpanId: hex(16),
    isParentRemote: fc.boolean(),
    name: text,
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
  return read(ProtobufTraceSerializer.serializeRequest([readable]) as Uint8Array);
}

function read(body: Uint8Array): unknown {
  return parseOtlp('traces', { encoding: 'protobuf', bytes: Buffer.from(body) });
}

/** Equal whatever type a number was told as, and whether a status that says nothing is there. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const told = Object.entries(value).filter(([key, inner]) => key !== 'status' || inner.code !== 0);
  const entries = told.map(([key, inner]) =>
    key === 'intValue' || key === 'doubleValue' ? ['number', String(Number(inner))] : [key, plain(inner)],
  );
  return Object.fromEntries(entries);
}

test('the bytes of a span say what those of the SDK’s serializer say', () => {
  const page = new SpanPage(MAX_SPAN_BYTES);
  fc.assert(
    fc.property(anySpan, (span) => {
      page.add(span);
      expect(plain(read(exportRequest(RESOURCE, page.take())))).toEqual(plain(bySdk(span)));
    }),
    { numRuns: 500 },
  );
});

const SPAN: EndedSpan = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  isParentRemote: false,
  name: 'work',
  kind: 'CLIENT',
  startedMs: 1,
  endedMs: 2,
  attributes: {},
};

test('the longest span has room, and a page that has none for another says so', () => {
  const text = '\u4e16'.repeat(5_000);
  const attributes = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`${n}${text}`, text]));
  const page = new SpanPage(MAX_SPAN_BYTES);
  page.add({ ...SPAN, name: text, failure: text, attributes });
  expect(page.hasRoom).toBe(false);
  const told = JSON.stringify(read(exportRequest(RESOURCE, page.take())));
  expect(JSON.parse(told).resourceSpans[0].scopeSpans[0].spans[0]).toMatchObject({
    name: text.slice(0, 1_024),
    status: { code: expect.anything(), message: text.slice(0, 1_024) },
  });
  expect(told.match(/"stringValue":"\u4e16/g)).toHaveLength(16);
  expect(page.hasRoom).toBe(true);
});

const namesIn = (body: Uint8Array) =>
  [...JSON.stringify(read(body)).matchAll(/"name":"(\d)"/g)].map(([, name]) => name).join('');

function queueTo(offer: (names: string) => void, lingerMs: number) {
  const nothing = () => Promise.resolve();
  const destination = {
    offer: (body: Uint8Array) => offer(namesIn(body)),
    forceFlush: nothing,
    shutdown: nothing,
  };
  const queue = new SpanQueue({ destinations: [destination], resource: RESOURCE, maxBatch: 3, lingerMs });
  return { queue, push: (name: number) => queue.push({ ...SPAN, name: String(name) }) };
}

test('spans go by the batch, and the last of them when they waited long enough', async () => {
  const batches: string[] = [];
  await new Promise<void>((resolve) => {
    const { push } = queueTo((names) => {
      batches.push(names);
      if (names.includes('7')) resolve();
    }, 20);
    for (let span = 1; span <= 7; span += 1) push(span);
  });
  expect(batches).toEqual(['123', '456', '7']);
});

test('what waits is sent at the end', async () => {
  const batches: string[] = [];
  const { queue, push } = queueTo((names) => batches.push(names), 3_600_000);
  push(1);
  await queue.shutdown();
  await queue.forceFlush();
  expect(batches).toEqual(['1']);
});

test('while nobody takes them, batches beyond the bound are dropped and counted', async () => {
  const exporter = new SendingExporter(() => Promise.reject(new Error('away')), [3_600_000]);
  for (let batch = 0; batch < 20; batch += 1) exporter.offer(Buffer.from('{}'));
  expect(exporter.dropped).toBe(4);
  await exporter.shutdown();
  expect(exporter.dropped).toBe(20);
});
