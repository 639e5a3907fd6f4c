import { SpawnedPlatform, wait } from '../support/spawned-platform.ts';
import { Load } from './load.ts';
import { type Scenario, timed, verdict } from './verdict.ts';
import { vigil } from './vigil.ts';

const VICTIMS = ['router', 'state', 'telemetry', 'postgres'];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** SIGKILL of each part under load: nothing acknowledged is lost, unaudited or doubled, and streams resume whole. */
export const kill: Scenario = {
  name: 'kill',
  async run(short) {
    const platform = new SpawnedPlatform(['--no-demo']);
    try {
      await platform.start();
      const load = new Load(platform);
      await load.start();
      const backMs: Record<string, number[]> = {};
      for (let round = 0; round < (short ? 1 : 5); round += 1) {
        for (const victim of VICTIMS) {
          await pause(700);
          backMs[victim] = [...(backMs[victim] ?? []), Math.round(await killOnce(platform, victim))];
        }
      }
      await pause(500);
      await load.stop();
      const found = await count(platform, load);
      await load.close();
      const watched = await vigil(platform, short);
      return [
        verdict('acknowledged mutations', load.alerts.size, load.alerts.size > 20),
        verdict('… lost', found.lostAlerts, found.lostAlerts === 0),
        verdict('… unaudited or audited twice', found.badlyAudited, found.badlyAudited === 0),
        verdict('acknowledged log records', load.records.size, load.records.size > 200),
        verdict('… stored', found.logs, found.logs === load.records.size),
        verdict('stream: lost', found.unseen, found.unseen === 0),
        verdict('stream: repeated', found.repeated, found.repeated === 0),
        ...Object.entries(backMs).map(([victim, times]) =>
          timed(short, `${victim} back, ms`, times.join(' '), Math.max(...times) <= 5_000),
        ),
        ...watched,
      ];
    } finally {
      await platform.stop();
      platform.remove();
    }
  },
};

async function killOnce(platform: SpawnedPlatform, victim: string): Promise<number> {
  const pid = platform.pid(victim);
  const killedMs = performance.now();
  process.kill(pid, 'SIGKILL');
  await wait(() => platform.pid(victim) !== pid && platform.pid(victim) > 0, 20_000, `${victim} is started again`);
  await wait(() => platform.isReady(), 30_000, `ready after ${victim} was killed`);
  return performance.now() - killedMs;
}

async function count(platform: SpawnedPlatform, load: Load) {
  // The relay and the shared inserts are given time by condition, never by clock.
  await wait(
    () => [...load.alerts.keys()].every((key) => load.seen.includes(key)),
    20_000,
    'the stream tells all',
  ).catch(() => 0);
  const logs = await totalOfLogs(platform, load);
  const audited = await auditedTargets(platform, load);
  const alerts = await storedAlerts(platform, load);
  const seen = new Set(load.seen);
  return {
    logs,
    lostAlerts: [...load.alerts].filter(([key, id]) => alerts.get(key) !== id).length,
    badlyAudited: [...load.alerts.values()].filter((id) => audited.get(id) !== 1).length,
    unseen: [...load.alerts.keys()].filter((key) => !seen.has(key)).length,
    repeated: load.seen.length - seen.size + load.repeatedCursors.length,
  };
}

async function totalOfLogs(platform: SpawnedPlatform, load: Load): Promise<number> {
  const query = `query ($filter: LogFilter) { logs(first: 1, filter: $filter) { totalCount } }`;
  const answer = await platform.ask(query, { filter: { services: [load.mark] } });
  return answer.data?.logs?.totalCount ?? -1;
}

async function storedAlerts(platform: SpawnedPlatform, load: Load): Promise<Map<string, string>> {
  const query = `query ($filter: AlertFilter, $after: String) {
    alerts(first: 100, after: $after, filter: $filter) { nodes { id label(name: "key") } pageInfo { hasNextPage endCursor } } }`;
  const found = new Map<string, string>();
  for (let after: string | null = null; ; ) {
    const { data } = await platform.ask(query, { after, filter: { names: [load.mark] } });
    for (const node of data.alerts.nodes) {
      if (found.has(node.label)) found.set(node.label, 'twice');
      else found.set(node.label, node.id);
    }
    if (!data.alerts.pageInfo.hasNextPage) return found;
    after = data.alerts.pageInfo.endCursor;
  }
}

async function auditedTargets(platform: SpawnedPlatform, load: Load): Promise<Map<string, number>> {
  const query = `query ($filter: AuditFilter, $after: String) {
    auditEntries(first: 100, after: $after, filter: $filter) { nodes { targetId outcome } pageInfo { hasNextPage endCursor } } }`;
  const filter = { actions: ['raiseAlert'], outcomes: ['SUCCEEDED'] };
  const read = async () => {
    const times = new Map<string, number>();
    for (let after: string | null = null; ; ) {
      const { data } = await platform.ask(query, { after, filter });
      for (const { targetId } of data.auditEntries.nodes) times.set(targetId, (times.get(targetId) ?? 0) + 1);
      if (!data.auditEntries.pageInfo.hasNextPage) return times;
      after = data.auditEntries.pageInfo.endCursor;
    }
  };
  let times = await read();
  await wait(
    async () => {
      times = await read();
      return [...load.alerts.values()].every((id) => times.has(id));
    },
    20_000,
    'the relay delivers',
  ).catch(() => 0);
  return times;
}
