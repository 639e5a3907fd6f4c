import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { SendingExporter } from '../../lib/telemetry/exporter.ts';

function finishedSpans() {
  const memory = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] });
  provider.getTracer('test').startSpan('work').end();
  return memory.getFinishedSpans();
}

const offer = (exporter: SendingExporter) =>
  new Promise<{ code: number }>((resolve) => exporter.export(finishedSpans(), resolve));

test('a batch that is refused is offered again and arrives once', async () => {
  let attempts = 0;
  const taken: string[] = [];
  const exporter = new SendingExporter(
    async (body) => {
      attempts += 1;
      if (attempts < 3) throw new Error('away');
      taken.push(Buffer.from(body).toString());
    },
    [1, 1, 1],
  );
  expect((await offer(exporter)).code).toBe(0);
  await exporter.forceFlush();
  expect({ attempts, taken: taken.length, dropped: exporter.dropped }).toEqual({ attempts: 3, taken: 1, dropped: 0 });
});

test('a batch that nobody takes is given up and counted', async () => {
  const exporter = new SendingExporter(() => Promise.reject(new Error('away')), [1, 1]);
  expect((await offer(exporter)).code).toBe(1);
  expect(exporter.dropped).toBe(1);
});

test('a process that ends does not wait for who is away', async () => {
  const exporter = new SendingExporter(() => Promise.reject(new Error('away')), [3_600_000]);
  const done = offer(exporter);
  await exporter.shutdown();
  expect((await done).code).toBe(1);
  expect((await offer(exporter)).code).toBe(1);
  expect(exporter.dropped).toBe(2);
});
