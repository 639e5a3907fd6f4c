import { SpawnedPlatform } from '../test/support/spawned-platform.ts';
import type { Bench } from './figure.ts';

const BODIES = 100;
const RECORDS = 2_000;
const SENDERS = 8;
const SEARCHES = 40;

/** Log records a second that are durable, over HTTP as JSON; and how long a search of them takes. */
export const logsBench: Bench = {
  name: 'logs',
  async run() {
    const platform = new SpawnedPlatform(['--no-demo']);
    try {
      await platform.start();
      // Made before the clock starts: the sender's own work is not what is measured.
      const bodies = Array.from({ length: BODIES }, (_, at) => JSON.stringify(bodyOf(at)));
      const startedMs = performance.now();
      await Promise.all(
        Array.from({ length: SENDERS }, (_, sender) =>
          send(
            platform,
            bodies.filter((_, at) => at % SENDERS === sender),
          ),
        ),
      );
      const perSecond = (BODIES * RECORDS) / ((performance.now() - startedMs) / 1_000);
      const rare = await searchMs(platform, 'needle77');
      const common = await searchMs(platform, 'task severity:ERROR');
      return [
        {
          promise: 'log records/s, durable, OTLP/JSON',
          measured: perSecond.toFixed(0),
          against: '200000',
          ratio: (perSecond / 200_000).toFixed(2),
        },
        {
          promise: `search of ${BODIES * RECORDS}: a rare word, p99 ms`,
          measured: rare.toFixed(0),
          against: '50',
          ratio: (50 / rare).toFixed(1),
        },
        {
          promise: `search of ${BODIES * RECORDS}: common word + severity, p99 ms`,
          measured: common.toFixed(0),
          against: '50',
          ratio: (50 / common).toFixed(1),
        },
      ];
    } finally {
      await platform.stop();
      platform.remove();
    }
  },
};

function bodyOf(number: number): object {
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: `bench-${number % 10}` } }] };
  const logRecords = Array.from({ length: RECORDS }, (_, at) => ({
    timeUnixNano: `${Date.now()}${String(at).padStart(6, '0')}`,
    severityNumber: at % 50 === 0 ? 17 : 9,
    body: {
      stringValue: `task ${number}-${at} was done in ${at % 977} ms${number === 77 && at === 7 ? ' needle77' : ''}`,
    },
    attributes: [{ key: 'user.id', value: { intValue: String(at % 5_000) } }],
  }));
  return { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] };
}

async function send(platform: SpawnedPlatform, bodies: readonly string[]): Promise<void> {
  for (const body of bodies) {
    const response = await fetch(`${platform.url}/v1/logs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${platform.token}` },
      body,
    });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
  }
}

async function searchMs(platform: SpawnedPlatform, query: string): Promise<number> {
  const took: number[] = [];
  for (let turn = 0; turn < SEARCHES; turn += 1) {
    const startedMs = performance.now();
    const answer = await platform.ask(
      'query ($q: String!) { logs(first: 50, filter: { query: $q }) { nodes { body } } }',
      { q: query },
    );
    if (!answer.data?.logs?.nodes.length) throw new Error(`${query} found nothing`);
    took.push(performance.now() - startedMs);
  }
  return took.sort((a, b) => a - b)[Math.ceil(SEARCHES * 0.99) - 1] as number;
}
