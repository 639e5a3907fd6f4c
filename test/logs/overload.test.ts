import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { callOf } from '../support/house.ts';
import { until } from '../support/until.ts';
import { type LogsHouse, startLogsHouse } from './support.ts';

/** What waits at most: a third of what comes at once. */
const MAX_PENDING_BYTES = 2 * 1024 * 1024;
const SENDERS = 75;
const RECORDS = 128;

let house: LogsHouse;
let door: Server;
let url = '';
let arrived = 0;
const answers: { status: number; retryAfter: string | undefined }[] = [];

/** Signs what an exporter sends, as the router does. */
beforeAll(async () => {
  house = await startLogsHouse({ settings: { FLEET_TELEMETRY_PENDING_BYTES: MAX_PENDING_BYTES } });
  // As slow as it takes for all of them to be there before the first is stored.
  const { telemetry } = house;
  const insert = telemetry.insertBinary.bind(telemetry);
  telemetry.insertBinary = async (...words) => {
    await until(() => arrived >= SENDERS);
    return await insert(...words);
  };
  door = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    arrived += 1;
    const headers = { 'content-type': String(request.headers['content-type']) };
    const answer = await house.client.send('POST /v1/logs', { call: callOf(), body: Buffer.concat(chunks), headers });
    const retryAfter = answer.headers['retry-after'] as string | undefined;
    answers.push({ status: answer.status, retryAfter });
    response.writeHead(answer.status, {
      'content-type': String(answer.headers['content-type']),
      ...(retryAfter ? { 'retry-after': retryAfter } : {}),
    });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(door.address() as AddressInfo).port}/v1/logs`;
});
afterAll(async () => {
  door.close();
  door.closeAllConnections();
  await house.close();
});

/** Runs in a process of its own, for the exporters import what jest's VM cannot. All senders begin at once. */
const PROGRAM = `
  const [url, senders, records] = process.argv.slice(1);
  const { OTLPLogExporter } = require('@opentelemetry/exporter-logs-otlp-proto');
  const { BatchLogRecordProcessor, LoggerProvider } = require('@opentelemetry/sdk-logs');
  const text = 'x'.repeat(500);
  const providers = Array.from({ length: Number(senders) }, (_, sender) => {
    const exporter = new OTLPLogExporter({ url, timeoutMillis: 60_000 });
    const options = { exporter, maxQueueSize: Number(records), maxExportBatchSize: 128, exportTimeoutMillis: 60_000 };
    const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor(options)] });
    const logger = provider.getLogger('tests');
    for (let n = 0; n < Number(records); n += 1) logger.emit({ body: text, attributes: { id: sender + '-' + n } });
    return provider;
  });
  Promise.all(providers.map((provider) => provider.forceFlush().then(() => provider.shutdown())));
`;

test('three times what may wait, from a stock SDK: refused with a time to come back, and all of it stored once in the end', async () => {
  let isOver = false;
  let most = 0;
  const looking = (async () => {
    while (!isOver) {
      const { pendingBytes } = (await house.ask('{ logIntake { pendingBytes } }')).data.logIntake;
      most = Math.max(most, pendingBytes);
    }
  })();
  const words = ['-e', PROGRAM, url, String(SENDERS), String(RECORDS)];
  await promisify(execFile)(process.execPath, words, { cwd: process.cwd() });
  isOver = true;
  await looking;

  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused.length).toBeGreaterThan(SENDERS / 3);
  expect(refused.every(({ status, retryAfter }) => status === 429 && /^[1-8]$/.test(retryAfter ?? ''))).toBe(true);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(MAX_PENDING_BYTES);
  const [row] = await house.telemetry.query<{ rows: string; ids: string }>(
    `select toString(count()) as rows, toString(uniqExact(attributes['id'])) as ids from log`,
  );
  expect(row).toEqual({ rows: String(SENDERS * RECORDS), ids: String(SENDERS * RECORDS) });
});
