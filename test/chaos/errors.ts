import { startNats } from '../support/nats.ts';
import { startRedisStandIn } from '../support/redis-stand-in.ts';
import { SpawnedPlatform, wait } from '../support/spawned-platform.ts';
import { countedLog, countLog } from './log-metric.ts';
import { type Scenario, type Verdict, verdict } from './verdict.ts';

const KINDS = ['alpha', 'bravo', 'charlie', 'delta', 'echo', 'foxtrot', 'golf', 'hotel', 'india', 'kilo'];
const DEATH = 'child.ended: telemetry ended by SIGKILL';
const WRITERS = 4;
const BATCH = 10;
/** Subject and stream of the bridges. */
const STREAM = 'fleet.errors';

/** Errors that are sent while the process that groups them is killed: each is counted in its group, once. */
export const errors: Scenario = {
  name: 'errors',
  async run(short) {
    const [total, kills] = short ? [600, 2] : [10_000, 20];
    const platform = new SpawnedPlatform(['--no-demo']);
    const [nats, redis] = [await startNats(STREAM), await startRedisStandIn()];
    try {
      await platform.start({ FLEET_ERROR_BRIDGES: `${nats.url},${redis.url}` });
      const service = `errors-${process.pid}-${total}`;
      await countLog(platform, service);
      const senders = new Senders(platform, service, total);
      const sent = senders.run();
      for (let round = 1; round <= kills; round += 1) {
        await wait(() => senders.acknowledged >= (total * round) / (kills + 1), 120_000, 'errors are acknowledged');
        await killHouse(platform);
      }
      await sent;
      const inMetric = await countedLog(platform, total);
      const found = await groupsOf(platform, service);
      // The deaths themselves are errors: told by the supervisor, shipped once the house is back.
      const told = async () => (await groupsOf(platform, 'fleetgraph.supervisor')).get(DEATH) ?? 0;
      await wait(async () => (await told()) >= kills, 60_000, 'each death is told').catch(() => 0);
      const deaths = await told();
      const each = KINDS.map((kind) => found.get(`${kind} of <n> failed`) ?? 0);
      const expected = total / KINDS.length;
      const lost = each.reduce((sum, count) => sum + Math.max(0, expected - count), 0);
      const twice = each.reduce((sum, count) => sum + Math.max(0, count - expected), 0);
      return [
        verdict('errors acknowledged', senders.acknowledged, senders.acknowledged === total),
        verdict('telemetry killed, times', kills, true),
        verdict('… bodies that had to be sent again', senders.repeats, senders.repeats > 0),
        verdict('groups', found.size, found.size === KINDS.length),
        verdict('… errors lost', lost, lost === 0),
        verdict('… errors counted twice', twice, twice === 0),
        verdict('… in a metric of the log', inMetric, inMetric === total),
        verdict('deaths in a group of their own', deaths, deaths === kills),
        await bridged('NATS', () => nats.messages(), service, expected),
        await bridged('Redis Streams', () => redis.entries(STREAM), service, expected),
      ];
    } finally {
      await Promise.all([nats.stop(), redis.stop()]);
      await platform.stop();
      platform.remove();
    }
  },
};

/** What another system was told at the last of each group: all of it, and no message twice. */
async function bridged(
  name: string,
  messages: () => Promise<{ id: string; body: string }[]>,
  service: string,
  expected: number,
): Promise<Verdict> {
  const last = new Map<string, number>();
  const whole = () => KINDS.filter((kind) => last.get(`${kind} of <n> failed`) === expected).length;
  let ids: string[] = [];
  await wait(
    async () => {
      const given = await messages();
      ids = given.map(({ id }) => id);
      for (const { body } of given) {
        const { node } = JSON.parse(body);
        if (node.services.includes(service)) last.set(node.message, node.count);
      }
      return whole() === KINDS.length;
    },
    90_000,
    `${name} is told all`,
  ).catch(() => 0);
  const twice = ids.length - new Set(ids).size;
  const figure = `${whole()} of ${KINDS.length} groups whole, ${ids.length} messages, ${twice} twice`;
  return verdict(`told over the bridge to ${name}`, figure, whole() === KINDS.length && twice === 0);
}

/** How soon it is back is another scenario's figure. */
async function killHouse(platform: SpawnedPlatform): Promise<void> {
  const pid = platform.pid('telemetry');
  process.kill(pid, 'SIGKILL');
  await wait(
    () => platform.pid('telemetry') !== pid && platform.pid('telemetry') > 0,
    60_000,
    'telemetry is started again',
  );
  await wait(() => platform.isReady(), 120_000, 'telemetry is ready');
}

/** Sends each body until it is answered with 200, the same bytes each time, as OTLP clients do. */
class Senders {
  acknowledged = 0;
  repeats = 0;
  #next = 0;

  constructor(
    private readonly platform: SpawnedPlatform,
    private readonly service: string,
    private readonly total: number,
  ) {}

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: WRITERS }, () => this.#write()));
  }

  async #write(): Promise<void> {
    for (let from = this.#take(); from < this.total; from = this.#take()) {
      const body = this.#body(from);
      for (let attempt = 0; !(await this.#post(body)); attempt += 1) {
        if (attempt > 2_000) throw new Error('a body was never taken');
        this.repeats += 1;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      this.acknowledged += BATCH;
    }
  }

  #take(): number {
    const from = this.#next;
    this.#next += BATCH;
    return from;
  }

  #body(from: number): string {
    const logRecords = Array.from({ length: BATCH }, (_, at) => ({
      timeUnixNano: `${Date.now()}${String(from + at).padStart(6, '0')}`,
      severityNumber: at % 5 ? 17 : 21,
      body: { stringValue: `${KINDS[(from + at) % KINDS.length]} of ${from + at} failed` },
      attributes: [{ key: 'error.code', value: { stringValue: 'E_CHAOS' } }],
    }));
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: this.service } }] };
    return JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] });
  }

  async #post(body: string): Promise<boolean> {
    const { url, token } = this.platform;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const request = { method: 'POST', headers, body, signal: AbortSignal.timeout(15_000) };
    const answer = await fetch(`${url}/v1/logs`, request).catch(() => undefined);
    await answer?.arrayBuffer().catch(() => undefined);
    return answer?.status === 200;
  }
}

/** Every group of the service, page by page: what it says → how many. */
async function groupsOf(platform: SpawnedPlatform, service: string): Promise<Map<string, number>> {
  const query = `query ($filter: LogFilter, $after: String) {
    errorGroups(first: 3, after: $after, filter: $filter) { nodes { message count } pageInfo { hasNextPage endCursor } } }`;
  const found = new Map<string, number>();
  for (let after: string | null = null; ; ) {
    const { data, errors: faults } = await platform.ask(query, { filter: { services: [service] }, after });
    if (!data?.errorGroups) throw new Error(JSON.stringify(faults));
    for (const { message, count } of data.errorGroups.nodes) found.set(message, (found.get(message) ?? 0) + count);
    if (!data.errorGroups.pageInfo.hasNextPage) return found;
    after = data.errorGroups.pageInfo.endCursor;
  }
}
