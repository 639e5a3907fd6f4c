import { readFileSync } from 'node:fs';
import { protobufOf } from '../test/logs/otlp-protobuf.ts';
import { SpawnedPlatform } from '../test/support/spawned-platform.ts';
import type { Bench, Figure } from './figure.ts';
import { measureIntake } from './log-intake.ts';
import { logRequest } from './log-request.ts';

const RECORDS = 2_000;
/** Bodies of each encoding: what is sent in some seconds. */
const PROTOBUF_BODIES = 400;
const JSON_BODIES = 100;
const SENDERS = 16;
const SEARCHES = 40;
/** Linux counts CPU in hundredths of a second. */
const TICK_MS = 10;

/** Log records a second that are durable, over HTTP, beside the engine's own rate; what reading them costs; searching them. */
export const logsBench: Bench = {
  name: 'logs',
  async run() {
    const platform = new SpawnedPlatform(['--no-demo']);
    try {
      await platform.start();
      // Made before the clock starts: the sender's own work is not what is measured.
      const binary = Array.from({ length: PROTOBUF_BODIES }, (_, at) => protobufOf(logRequest(at, RECORDS)));
      const texts = Array.from({ length: JSON_BODIES }, (_, at) =>
        Buffer.from(JSON.stringify(logRequest(PROTOBUF_BODIES + at, RECORDS))),
      );
      await rateOf(platform, binary.splice(0, 40), 'application/x-protobuf');
      const beforeMs = cpuMs(platform);
      const perSecond = await rateOf(platform, binary, 'application/x-protobuf');
      const spent = ((cpuMs(platform) - beforeMs) * 1_000) / (binary.length * RECORDS);
      const jsonPerSecond = await rateOf(platform, texts, 'application/json');
      const rare = await searchMs(platform, 'needle77');
      const common = await searchMs(platform, 'task severity:ERROR');
      await platform.stop();
      const { enginePerSecond, engineCpu, figures } = await measureIntake(RECORDS);
      const all = (PROTOBUF_BODIES + JSON_BODIES) * RECORDS;
      return [
        figureOf('log records/s, durable, OTLP/protobuf', perSecond, 200_000),
        figureOf('the same beside the engine’s own inserts', perSecond, enginePerSecond),
        {
          promise: 'CPU of a record, µs; of the engine alone',
          measured: spent.toFixed(2),
          against: engineCpu.toFixed(2),
          ratio: (engineCpu / spent).toFixed(2),
        },
        figureOf('log records/s, durable, OTLP/JSON', jsonPerSecond, 200_000),
        ...figures,
        { ...figureOf(`search of ${all}: a rare word, p99 ms`, rare, 50), ratio: (50 / rare).toFixed(1) },
        { ...figureOf(`search of ${all}: common + severity, p99 ms`, common, 50), ratio: (50 / common).toFixed(1) },
      ];
    } finally {
      await platform.stop();
      platform.remove();
    }
  },
};

function figureOf(promise: string, measured: number, against: number): Figure {
  return {
    promise,
    measured: measured.toFixed(0),
    against: against.toFixed(0),
    ratio: (measured / against).toFixed(2),
  };
}

/** CPU that router and houses used so far, milliseconds: what a busy machine does not falsify. */
function cpuMs(platform: SpawnedPlatform): number {
  const ticks = ['router', 'telemetry'].map((name) => {
    const stat = readFileSync(`/proc/${platform.pid(name)}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, each) => sum + each * TICK_MS, 0);
}

/** Records a second until the last of these bodies is answered. */
async function rateOf(platform: SpawnedPlatform, bodies: readonly Buffer[], type: string): Promise<number> {
  const startedMs = performance.now();
  const shares = Array.from({ length: SENDERS }, (_, sender) => bodies.filter((_body, at) => at % SENDERS === sender));
  await Promise.all(shares.map((share) => send(platform, share, type)));
  return (bodies.length * RECORDS) / ((performance.now() - startedMs) / 1_000);
}

async function send(platform: SpawnedPlatform, bodies: readonly Buffer[], type: string): Promise<void> {
  for (const body of bodies) {
    const response = await fetch(`${platform.url}/v1/logs`, {
      method: 'POST',
      headers: { 'content-type': type, authorization: `Bearer ${platform.token}` },
      body: new Uint8Array(body),
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
