import { AgentState } from '../../../subgraphs/agents/entity/enums.ts';
import { RecoveryAction, RecoveryPolicy, RecoveryTrouble } from '../../../subgraphs/agents/entity/recovery.ts';
import { DEFAULT_POLICY } from '../../../subgraphs/agents/service/policy.ts';
import { Chance } from './chance.ts';
import { type FaultKind, lastsMs, TRANSIENT } from './faults.ts';
import type { Program } from './program.ts';
import { World } from './world.ts';

const { SILENT, FAILED, CRITICAL, CRASH_LOOP, OVERSPENT, DEGRADED } = RecoveryTrouble;
/** The default's ladder with the rung that docs/health.md advises: back to a configuration that did well comes first. */
export const POLICY: RecoveryPolicy = Object.assign(new RecoveryPolicy(), DEFAULT_POLICY, {
  name: 'simulated',
  steps: [
    { action: RecoveryAction.ROLLBACK_CONFIG, attempts: 1, on: [FAILED, CRITICAL] },
    { action: RecoveryAction.RESTART, attempts: 5, on: [SILENT, FAILED, CRITICAL, DEGRADED] },
    { action: RecoveryAction.PAUSE, attempts: 1, on: [OVERSPENT] },
    { action: RecoveryAction.QUARANTINE, attempts: 1, on: [SILENT, FAILED, CRASH_LOOP, CRITICAL] },
  ],
  criticalBeats: 3,
  degradedBeats: 5,
});

/** What became of one fault. */
export interface Episode {
  kind: FaultKind;
  program: Program;
  beganMs: number;
  /** When the platform saw that something is wrong: silent, failed, or a score below 80. */
  noticedMs?: number;
  steppedMs?: number;
  healedMs?: number;
  /** It is in a person's hands. */
  isGivenUp: boolean;
}

export interface Healing {
  episodes: Episode[];
  /** Steps for agents that had no fault, needed none that had, and had none within a minute before. */
  falseSteps: string[];
  /** Steps for agents whose trouble was what they depend on, or that were just mended: needless, not unfounded. */
  stepsForVictims: number;
  radiusPassed: number;
  agentHours: number;
  clockJumps: number;
}

const GIVEN_UP_MS = 180_000;
const QUIET_MS = 60_000;
const HABIT_MS = 90_000;

/** Injects so many transient faults, several at a time, into a fleet that heals itself. */
export async function heal(seed: number, faults: number): Promise<Healing> {
  const chance = new Chance(seed);
  const world = new World(POLICY, chance);
  const startMs = world.nowMs;
  const healing: Healing = {
    episodes: [],
    falseSteps: [],
    stepsForVictims: 0,
    radiusPassed: 0,
    agentHours: 0,
    clockJumps: 0,
  };
  const open = new Set<Episode>();
  let nextMs = startMs + HABIT_MS;
  let judged = 0;
  let jumpedMs = 0;
  while (healing.episodes.length < faults || open.size) {
    const jumpMs = chance.happens(0.0003) ? chance.between(-20_000, 60_000) : 0;
    await world.look(jumpMs);
    if (jumpMs) {
      healing.clockJumps += 1;
      jumpedMs += jumpMs;
      nextMs += jumpMs;
      for (const episode of open) shift(episode, jumpMs);
    }
    for (; judged < world.steps.length; judged += 1) judge(world, healing, open, judged);
    for (const episode of open) if (follow(world, episode)) open.delete(episode);
    if (healing.episodes.length >= faults || world.nowMs < nextMs) continue;
    nextMs = world.nowMs + chance.between(500, 9_000);
    const kind = TRANSIENT[healing.episodes.length % TRANSIENT.length] as FaultKind;
    const episode = afflict(world, kind, chance);
    if (!episode) continue;
    healing.episodes.push(episode);
    open.add(episode);
  }
  const hours = (world.nowMs - startMs - jumpedMs) / 3_600_000;
  return { ...healing, radiusPassed: world.radiusPassed, agentHours: hours * world.programs.length };
}

function shift(episode: Episode, byMs: number): void {
  episode.beganMs += byMs;
  if (episode.noticedMs !== undefined) episode.noticedMs += byMs;
  if (episode.steppedMs !== undefined) episode.steppedMs += byMs;
}

/** An agent that was well for a while gets the fault; undefined when none is fit for it now. */
function afflict(world: World, kind: FaultKind, chance: Chance): Episode | undefined {
  const { nowMs } = world;
  const isRoot = kind === 'dependency down';
  const fit = world.programs.filter(
    (program) =>
      !program.fault &&
      ['database', 'cache'].includes(program.live.kind) === isRoot &&
      program.live.desired === AgentState.RUNNING &&
      nowMs - program.mendedMs > QUIET_MS &&
      world.isWell(program) &&
      !world.isStarved(program),
  );
  if (!fit.length) return undefined;
  const program = chance.pick(fit);
  program.afflict({ kind, sinceMs: nowMs, untilMs: nowMs + lastsMs(kind, chance) });
  return { kind, program, beganMs: nowMs, isGivenUp: false };
}

/** @returns whether the episode is over */
function follow(world: World, episode: Episode): boolean {
  const { program } = episode;
  const { nowMs } = world;
  if (!world.isWell(program)) episode.noticedMs ??= nowMs;
  episode.isGivenUp =
    program.live.desired !== AgentState.RUNNING || (nowMs - episode.beganMs > GIVEN_UP_MS && !world.isWell(program));
  if (episode.isGivenUp) {
    // A person takes care of it: out of quarantine, and well.
    Object.assign(program.live, { desired: AgentState.RUNNING, attempts: [], restartsAtMs: [] });
    program.orders.splice(0);
    program.mend(nowMs);
    return true;
  }
  if (program.fault || !world.isWell(program) || program.live.beatMs <= program.mendedMs) return false;
  episode.healedMs = nowMs;
  return true;
}

function judge(world: World, healing: Healing, open: ReadonlySet<Episode>, at: number): void {
  const { program, atMs, reason } = world.steps[at] as (typeof world.steps)[number];
  const episode = [...open].find((each) => each.program === program);
  if (episode) {
    episode.steppedMs ??= atMs;
    return;
  }
  const isVictim = atMs - Math.max(program.starvedMs, program.mendedMs) < QUIET_MS;
  if (isVictim) healing.stepsForVictims += 1;
  else healing.falseSteps.push(`${program.live.name}: ${reason}; ${JSON.stringify(program.live.health.penalties)}`);
}
