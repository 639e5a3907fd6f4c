import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { CompressionAlgorithm, OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { callOf } from '../support/house.ts';
import { LOGS, type LogsHouse, startLogsHouse } from './support.ts';

let house: LogsHouse;
let door: Server;
let url = '';

/** Signs what an exporter sends, as the router does. */
beforeAll(async () => {
  house = await startLogsHouse();
  door = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => name.startsWith('content-') && name !== 'content-length'),
    ) as Record<string, string>;
    const answer = await house.client.send('POST /v1/logs', { call: callOf(), body: Buffer.concat(chunks), headers });
    response.writeHead(answer.status, { 'content-type': String(answer.headers['content-type']) }).end(answer.body);
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(door.address() as AddressInfo).port}/v1/logs`;
});
afterAll(async () => {
  door.close();
  door.closeAllConnections();
  await house.close();
});

test.each([
  ['JSON', () => new JsonExporter({ url })],
  ['protobuf, gzip', () => new ProtobufExporter({ url, compression: CompressionAlgorithm.GZIP })],
])('what a stock OpenTelemetry SDK sends as %s is all found', async (name, makeExporter) => {
  const service = `sdk ${name}`;
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'host.name': 'h1' }),
    processors: [new BatchLogRecordProcessor({ exporter: makeExporter(), maxQueueSize: 20_000 })],
  });
  const logger = provider.getLogger('tests');
  for (let n = 0; n < 3_000; n += 1) {
    logger.emit({
      severityNumber: 9,
      severityText: 'INFO',
      body: `record ${n}`,
      attributes: { n, even: n % 2 === 0, list: ['a', n] },
    });
  }
  await provider.forceFlush();
  await provider.shutdown();

  const answer = await house.ask(LOGS, { filter: { services: [service] }, first: 1 });
  expect(answer.data.logs.totalCount).toBe(3_000);
  const one = await house.ask(LOGS, {
    filter: { services: [service], query: 'attributes.n:1234 attributes.even:true' },
  });
  expect(one.data.logs.nodes).toMatchObject([
    {
      body: 'record 1234',
      severity: 'INFO',
      attributes: { n: 1234, even: true, list: ['a', 1234] },
      resource: { 'host.name': 'h1' },
    },
  ]);
});
