import { SpawnedPlatform, wait } from '../support/spawned-platform.ts';
import { readAll } from './pages.ts';
import { RolloutTroop } from './rollout-troop.ts';
import { type Scenario, type Verdict, verdict } from './verdict.ts';

const VICTIMS = ['state', 'router', 'postgres', 'telemetry'];
const KIND = 'rolled';
const AGENTS = 40;
/** A twentieth: as many as a bad version may touch. */
const CANARY = 2;
/** Of forty, at once between two versions. */
const MOST_BETWEEN = 8;
const PUBLISH =
  'mutation ($input: PublishAgentVersionInput!) { publishAgentVersion(input: $input) { userErrors { message } } }';
const START = `mutation ($input: StartRolloutInput!) { startRollout(input: $input) { rollout { id } userErrors { code message } } }`;
const RESUME =
  'mutation ($input: RolloutActionInput!) { resumeRollout(input: $input) { userErrors { code message } } }';
const LOOK = 'query ($id: ID!) { rollout(id: $id) { state reason stages { changing ready } } }';
const FLEET = `{ agents(first: 100, filter: { kinds: ["${KIND}"] }) { nodes { version } } }`;
/** As short as a rollout can be. */
const PLAN = { baseline: 'PT1S', bake: 'PT1S', warmUp: 'PT0S', readyWithin: 'PT60S', sensitivity: 10 };
const ENDED = ['SUCCEEDED', 'REVERTED', 'ABORTED'];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Rollouts of good and bad versions, in turn, under SIGKILL of every part of the platform. */
export const rollouts: Scenario = {
  name: 'rollouts',
  async run(short) {
    const [count, pauseMs] = [short ? 2 : 10, short ? 2_500 : 3_000];
    const platform = new SpawnedPlatform(['--no-demo']);
    const troop = new RolloutTroop(platform, KIND, isBad);
    const ended: Ended[] = [];
    let kills = 0;
    let isOver = false;
    try {
      // Leases that outlast any restart: what is killed here is the platform, not the agents.
      await platform.start({ FLEET_BEAT_MS: '20000', FLEET_LOG_LEVEL: 'error' });
      await troop.join(AGENTS);
      troop.start();
      const killing = (async () => {
        for (; !isOver; kills += 1) {
          await pause(pauseMs);
          if (!isOver) await killOne(platform, VICTIMS[kills % VICTIMS.length] as string);
        }
      })();
      for (let at = 0; at < count; at += 1) ended.push(await roll(platform, at));
      isOver = true;
      await killing;
      return [verdict('processes killed, times', kills, kills > 0), ...(await verdicts(platform, troop, ended))];
    } finally {
      isOver = true;
      await troop.stop();
      await platform.stop();
      platform.remove();
    }
  },
};

interface Ended {
  id: string;
  from: string;
  version: string;
  state: string;
  /** Agents that were asked to change at once, at most, as far as was seen. */
  between: number;
  /** What the agents ran when it had ended. */
  left: string[];
}

const versionOf = (at: number): string => `${at + 2}.0.0`;
/** Every other version, from the first on. */
const isBad = (version: string): boolean => version !== '1.0.0' && Number.parseInt(version, 10) % 2 === 0;

async function killOne(platform: SpawnedPlatform, victim: string): Promise<void> {
  const pid = platform.pid(victim);
  if (pid <= 0) return;
  process.kill(pid, 'SIGKILL');
  await wait(() => platform.pid(victim) !== pid && platform.pid(victim) > 0, 60_000, `${victim} is started again`);
  await wait(() => platform.isReady(), 60_000, `ready after ${victim} was killed`);
}

/** Tries until it is acknowledged: the same key, the same arguments. */
async function insist<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 600; tries += 1) {
    const outcome = await attempt().catch(() => undefined);
    if (outcome !== undefined) return outcome;
    await pause(200);
  }
  throw new Error(`not acknowledged: ${what}`);
}

/** Publishes a version, rolls it out, and waits for its end; a person promotes what proves too little. */
async function roll(platform: SpawnedPlatform, at: number): Promise<Ended> {
  const version = versionOf(at);
  // What was bad was taken back: the good one before it, or the first, is what runs.
  const from =
    at === 0 ? '1.0.0' : isBad(versionOf(at - 1)) ? (at === 1 ? '1.0.0' : versionOf(at - 2)) : versionOf(at - 1);
  const published = { kind: KIND, version, migratesFrom: from, clientMutationId: `publish-${version}` };
  await insist('publish', async () => {
    const { data } = await platform.ask(PUBLISH, { input: published });
    return data?.publishAgentVersion?.userErrors.length === 0 || undefined;
  });
  const id = await insist('start', async () => {
    const input = { kind: KIND, version, ...PLAN, maxUnavailablePercent: 20, clientMutationId: `roll-${version}` };
    return (await platform.ask(START, { input })).data?.startRollout?.rollout?.id as string | undefined;
  });
  let between = 0;
  const state = await insist(`the end of ${version}`, async () => {
    const rollout = (await platform.ask(LOOK, { id })).data?.rollout;
    if (!rollout) return undefined;
    const changing = rollout.stages.reduce((sum: number, stage: { changing: number }) => sum + stage.changing, 0);
    between = Math.max(between, changing);
    if (rollout.state === 'PAUSED') {
      const input = { id, promote: true, clientMutationId: `promote-${version}-${rollout.reason}` };
      await platform.ask(RESUME, { input });
    }
    return ENDED.includes(rollout.state) ? (rollout.state as string) : undefined;
  });
  const left = await insist('the fleet', async () => {
    const nodes: { version: string }[] | undefined = (await platform.ask(FLEET)).data?.agents?.nodes;
    return nodes?.length === AGENTS ? nodes.map((node) => node.version) : undefined;
  });
  return { id, from, version, state, between, left };
}

async function verdicts(platform: SpawnedPlatform, troop: RolloutTroop, ended: readonly Ended[]): Promise<Verdict[]> {
  const wrong = ended.filter(({ version, state }) => state !== (isBad(version) ? 'REVERTED' : 'SUCCEEDED'));
  const third = ended.flatMap(({ left, from, version }) =>
    left.filter((one) => one !== (isBad(version) ? from : version)),
  );
  const touched = ended.filter(({ version }) => isBad(version)).map(({ version }) => troop.ran.get(version)?.size ?? 0);
  const between = Math.max(...ended.map((one) => one.between));
  const { breaks, moves } = await audited(platform, ended);
  return [
    verdict('rollouts that ended', ended.map(({ state }) => state).join(' '), wrong.length === 0),
    verdict('agents left on another version than they should be', third.length, third.length === 0),
    verdict(
      `agents that ran a bad version, at most ${CANARY}`,
      touched.join(' '),
      touched.every((count) => count > 0 && count <= CANARY),
    ),
    verdict(
      `agents between two versions at once, at most ${MOST_BETWEEN}`,
      between,
      between > 0 && between <= MOST_BETWEEN,
    ),
    verdict(
      `moves of rollouts in the trail, not exactly once or not in order`,
      `${breaks} of ${moves}`,
      breaks === 0 && moves > ended.length,
    ),
  ];
}

/** The moves of each rollout as the trail has them: each begins where the one before ended, and the last is its end. */
async function audited(platform: SpawnedPlatform, ended: readonly Ended[]): Promise<{ breaks: number; moves: number }> {
  const trail = async (id: string) => {
    const entries = await readAll(platform, 'auditEntries', 'action before after occurredAt', { targetIds: [id] });
    return entries
      .filter(({ action }) => String(action).startsWith('agent.rollout.'))
      .map(({ before, after }) => ({ before: placeOf(before), after: placeOf(after), state: after.state as string }))
      .reverse();
  };
  let moves = 0;
  let breaks = 0;
  for (const { id, state } of ended) {
    let found = await trail(id);
    const isWhole = async () => {
      found = await trail(id);
      return found.at(-1)?.state === state;
    };
    await wait(isWhole, 30_000, 'the relay delivers').catch(() => 0);
    moves += found.length;
    if (found.at(-1)?.state !== state) breaks += 1;
    found.forEach(({ before }, at) => {
      if (at > 0 && before !== found[at - 1]?.after) breaks += 1;
    });
  }
  return { breaks, moves };
}

const placeOf = ({ state, stage }: { state: string; stage: number }): string => `${state} ${stage}`;
