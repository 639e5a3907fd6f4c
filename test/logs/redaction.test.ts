import { Log } from '../../lib/log.ts';
import { planted } from '../redaction/secrets.ts';
import { callOf } from '../support/house.ts';
import { until } from '../support/until.ts';
import { protobufOf } from './otlp-protobuf.ts';
import { INGEST, type LogsHouse, startLogsHouse } from './support.ts';

const SECRETS = 10_000;
const EACH = 500;

const own: string[] = [];
let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse({ log: new Log('test', [{ write: (line) => own.push(line) }], Date.now, 'debug') });
});
afterAll(() => house.close());

/** A record that bears a secret in its body, in an attribute, deep in one, or under a name that says so. */
function recordOf(seed: number) {
  const { text, secret } = planted(seed);
  const deep = {
    kvlistValue: { values: [{ key: 'list', value: { arrayValue: { values: [{ stringValue: text }] } } }] },
  };
  const places = [
    { body: { stringValue: text } },
    { attributes: [{ key: 'note', value: { stringValue: text } }] },
    { attributes: [{ key: 'context', value: deep }] },
    { body: deep },
    { attributes: [{ key: 'db.password', value: { stringValue: secret } }] },
  ];
  return { timeUnixNano: '1700000000000000000', severityNumber: 9, ...places[Math.floor(seed / 11) % places.length] };
}

function requestOf(first: number, count: number) {
  const { text } = planted(first);
  const attributes = [
    { key: 'service.name', value: { stringValue: 'planted' } },
    { key: 'process.command_line', value: { stringValue: text } },
  ];
  const logRecords = Array.from({ length: count }, (_, at) => recordOf(first + at));
  return { resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords }] }] };
}

test('ten thousand planted secrets: none in storage, none in a tail, none in our own lines, and each is counted', async () => {
  const query = 'subscription { logTail { entries { body attributes resource } } }';
  const stream = await house.client.open('POST /graphql', {
    call: callOf(),
    body: JSON.stringify({ query }),
    headers: { accept: 'text/event-stream' },
  });
  let told = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => (told += chunk));

  for (let first = 0; first < SECRETS; first += EACH) {
    const request = requestOf(first, EACH);
    const road = (first / EACH) % 3;
    if (road === 2) {
      const records = request.resourceLogs[0]?.scopeLogs[0]?.logRecords.map((_, at) => {
        const { text, secret } = planted(first + at);
        return { severity: 'INFO', service: 'planted', body: text, attributes: { note: [text], password: secret } };
      });
      expect((await house.ask(INGEST, { input: { records } })).data.ingestLogs.accepted).toBe(EACH);
    } else {
      const answer = await house.client.send('POST /v1/logs', {
        call: callOf(),
        body: road === 0 ? protobufOf(request) : JSON.stringify(request),
        headers: { 'content-type': road === 0 ? 'application/x-protobuf' : 'application/json' },
      });
      expect(answer).toMatchObject({ status: 200 });
    }
  }
  await until(() => (told.match(/"attributes"/g)?.length ?? 0) >= SECRETS);
  stream.destroy();

  const stored = await house.telemetry.query<{ line: string }>(
    'select concat(service, body, toString(attributes), resource) as line from log',
  );
  expect(stored).toHaveLength(SECRETS);
  const everything = [...stored.map(({ line }) => line), told, ...own].join('\n');
  const left = Array.from({ length: SECRETS }, (_, seed) => planted(seed)).filter(({ secret }) =>
    everything.includes(secret),
  );
  expect(left).toEqual([]);
  const counted = await house.runtime.registry.getSingleMetric('fleet_logs_redacted_total')?.get();
  expect(counted?.values.reduce((sum, { value }) => sum + value, 0)).toBeGreaterThanOrEqual(SECRETS);
});
