import { RolloutPhase, RolloutState } from '../../../subgraphs/agents/entity/rollout-enums.ts';
import { addBeat, emptyReading } from '../../../subgraphs/agents/service/rollout/evidence.ts';
import { lookAt, type Readings } from '../../../subgraphs/agents/service/rollout/look.ts';
import { type Member, type Sight, TOUCHED } from '../../../subgraphs/agents/service/rollout/members.ts';
import { drawStages, type Plan, sizesOf } from '../../../subgraphs/agents/service/rollout/plan.ts';
import { ENDED, lifeOf, type Step, step } from '../../../subgraphs/agents/service/rollout/rules.ts';
import { Deviates, GOOD, SimulatedAgent, type Version } from './world.ts';

/** What became of one simulated rollout. */
export interface Report {
  fault: string;
  agents: number;
  state: RolloutState;
  reason: string;
  /** Largest number of agents that had it at once. */
  touched: number;
  /** From the first agent that was up on it to the decision. */
  decidedMs: number | null;
  /** From the decision until every agent was back. */
  revertedMs: number | null;
  tookMs: number;
}

const BEAT_MS = 2_000;
/** As the conductor measures: a sample of a large fleet. */
const MEASURED = 200;
const LONGEST_MS = 4 * 3_600_000;

/** Plays a rollout of one version over a fleet, by the rules the platform has, until it has ended or waits for a person. */
export function play(seed: number, agents: number, version: Version): Report {
  const chance = new Deviates(seed);
  const fleet = Array.from({ length: agents }, (_, at) => new SimulatedAgent(`agent-${at}`, chance, GOOD));
  const sizes = sizesOf(agents, { canaryPercent: 5, waves: [25, 50, 100], maxUnavailablePercent: 10 });
  const plan: Plan = {
    ...{
      sizes,
      maxUnavailable: Math.max(1, Math.floor(agents / 10)),
      startAtMs: 0,
      baselineMs: 180_000,
      bakeMs: 60_000,
    },
    ...{ readyMs: 30_000, deadlineMs: 3_600_000, warmUpMs: 20_000, sensitivity: 1 },
  };
  const stages = drawStages(
    fleet.map(() => ({ isFit: true })),
    sizes,
    () => chance.next(),
  );
  const none = { phase: RolloutPhase.WAITING, sentMs: null, readyMs: null, lostMs: null, fromVersion: GOOD.name };
  const members = fleet.map(({ uuid }, at): Member => ({ agent: uuid, stage: stages[at] as number, ...none }));
  const world = new World(fleet, members, plan, version, chance);
  let rolling: Step = { life: lifeOf(0, 'started'), members, effects: [] };
  let [touched, firstMs, decidedMs, nowMs]: [number, number | null, number | null, number] = [0, null, null, 0];
  for (
    ;
    nowMs < LONGEST_MS && !ENDED.includes(rolling.life.state) && rolling.life.state !== RolloutState.PAUSED;
    nowMs += 1_000
  ) {
    const { sights, readings } = world.second(rolling, nowMs);
    const look = lookAt(plan, rolling.life, rolling.members, readings, BEAT_MS);
    const before = rolling.life.state;
    rolling = step(plan, version.name, rolling, { kind: 'tick', sights, look }, nowMs);
    world.obey(rolling, nowMs);
    touched = Math.max(
      touched,
      rolling.members.filter(({ phase }) => TOUCHED.includes(phase) || phase === RolloutPhase.BACK_SENT).length,
    );
    firstMs ??= rolling.members.some(({ phase }) => phase === RolloutPhase.READY || phase === RolloutPhase.LOST)
      ? nowMs
      : null;
    if (rolling.life.state === RolloutState.REVERTING && before !== RolloutState.REVERTING) decidedMs = nowMs;
  }
  const isBack = rolling.life.state === RolloutState.REVERTED && decidedMs !== null;
  return {
    fault: version.fault,
    agents,
    state: rolling.life.state,
    reason: rolling.life.reason,
    touched,
    decidedMs: decidedMs === null || firstMs === null ? null : decidedMs - firstMs,
    // The loop has counted one second beyond the last.
    revertedMs: isBack ? nowMs - 1_000 - (decidedMs as number) : null,
    tookMs: nowMs,
  };
}

/** The fleet under a rollout: obeys it, beats, and is read as the platform reads it. */
class World {
  readonly #readings = new Map<string, Readings>();
  readonly #agents: ReadonlyMap<string, SimulatedAgent>;
  readonly #baseRestarts = new Map<string, number>();
  readonly #seenRestarts = new Map<string, number>();
  #latency = 0;
  #stage: number | null = null;
  #stageMs = 0;

  constructor(
    private readonly fleet: readonly SimulatedAgent[],
    members: readonly Member[],
    private readonly plan: Plan,
    private readonly version: Version,
    private readonly chance: Deviates,
  ) {
    this.#agents = new Map(fleet.map((agent) => [agent.uuid, agent]));
    const measured = new Set(
      members
        .filter(({ stage }) => stage > 0)
        .slice(-MEASURED)
        .map(({ agent }) => agent),
    );
    for (const { agent, stage } of members) {
      if (stage > 0 && !measured.has(agent)) continue;
      const [before, waiting, upgraded] = [emptyReading(), emptyReading(), emptyReading()];
      this.#readings.set(agent, { before, waiting, upgraded, isAlerting: false, old: { beats: 0, restarts: 0 } });
    }
  }

  second({ members, life }: Step, nowMs: number) {
    const stage = life.state === RolloutState.SCHEDULED || life.state === RolloutState.BASELINE ? null : life.stage;
    if (stage !== this.#stage) {
      this.#stage = stage;
      this.#stageMs = nowMs;
      for (const readings of this.#readings.values()) readings.waiting = emptyReading();
    }
    this.#latency = 0.99 * this.#latency + 0.01 * this.chance.normal();
    const weather = { load: 1 + 0.4 * Math.sin(nowMs / 600_000), latency: Math.exp(this.#latency) };
    const sights = new Map<string, Sight>();
    members.forEach((member, at) => {
      const agent = this.fleet[at] as SimulatedAgent;
      const readings = this.#readings.get(agent.uuid);
      const isUp = agent.isUp(nowMs);
      if (isUp && readings && (nowMs / 1_000 + at) % 2 === 0) this.#beat(agent, member, readings, nowMs, weather);
      const restarts = agent.restarts - (this.#baseRestarts.get(agent.uuid) ?? agent.restarts);
      sights.set(agent.uuid, { version: isUp ? agent.version.name : 'away', isWell: isUp, hasFailed: false, restarts });
    });
    return { sights, readings: this.#readings };
  }

  #beat(
    agent: SimulatedAgent,
    member: Member,
    readings: Readings,
    nowMs: number,
    weather: { load: number; latency: number },
  ): void {
    const told = agent.beat(nowMs, weather);
    const restarts = agent.restarts - (this.#seenRestarts.get(agent.uuid) ?? 0);
    this.#seenRestarts.set(agent.uuid, agent.restarts);
    const isUpgraded = member.phase === RolloutPhase.READY || member.phase === RolloutPhase.LOST;
    if (!isUpgraded && member.phase !== RolloutPhase.WAITING) return;
    const { before, waiting, upgraded, old } = readings;
    const reading = isUpgraded ? upgraded : this.#stage === null ? before : waiting;
    const sinceMs = isUpgraded ? (member.readyMs ?? nowMs) : this.#stageMs;
    reading.restarts += restarts;
    if (!isUpgraded) {
      old.restarts += restarts;
      old.beats += 1;
    }
    if (told) addBeat(reading, told, nowMs - sinceMs, this.#stage === null ? 0 : this.plan.warmUpMs);
  }

  obey({ effects }: Step, nowMs: number): void {
    for (const { kind, agent: uuid } of effects) {
      const agent = this.#agents.get(uuid) as SimulatedAgent;
      agent.take(kind === 'upgrade' ? this.version : GOOD, nowMs);
      this.#baseRestarts.set(uuid, agent.restarts);
      this.#seenRestarts.set(uuid, agent.restarts);
    }
  }
}
