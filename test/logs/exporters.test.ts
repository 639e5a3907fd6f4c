import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
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

/** Runs in a process of its own, for the exporters import what jest's VM cannot. */
const PROGRAM = `
  const [url, service, kind] = process.argv.slice(1);
  const { OTLPLogExporter } = require('@opentelemetry/exporter-logs-otlp-' + kind);
  const { resourceFromAttributes } = require('@opentelemetry/resources');
  const { BatchLogRecordProcessor, LoggerProvider } = require('@opentelemetry/sdk-logs');
  const exporter = new OTLPLogExporter({ url, compression: kind === 'proto' ? 'gzip' : 'none' });
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'host.name': 'h1' }),
    processors: [new BatchLogRecordProcessor({ exporter, maxQueueSize: 20000 })],
  });
  const logger = provider.getLogger('tests');
  for (let n = 0; n < 3000; n += 1) {
    const attributes = { n, even: n % 2 === 0, list: ['a', n] };
    logger.emit({ severityNumber: 9, severityText: 'INFO', body: 'record ' + n, attributes });
  }
  provider.forceFlush().then(() => provider.shutdown());
`;

test.each(['http', 'proto'])('what a stock OpenTelemetry SDK sends (%s) is all found', async (kind) => {
  const service = `sdk ${kind}`;
  await promisify(execFile)(process.execPath, ['-e', PROGRAM, url, service, kind], { cwd: process.cwd() });

  const answer = await house.ask(LOGS, { filter: { services: [service] }, first: 1 });
  expect(answer.data.logs.totalCount).toBe(3_000);
  const query = 'attributes.n:1234 attributes.even:true';
  const one = await house.ask(LOGS, { filter: { services: [service], query } });
  expect(one.data.logs.nodes).toMatchObject([
    {
      body: 'record 1234',
      severity: 'INFO',
      attributes: { n: 1234, even: true, list: ['a', 1234] },
      resource: { 'host.name': 'h1' },
    },
  ]);
});
