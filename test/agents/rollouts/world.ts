import { Chance } from '../../../fleet/chance.ts';
import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { AgentState } from '../../../subgraphs/agents/entity/enums.ts';
import { type BeatSample, healthOf } from '../../../subgraphs/agents/service/health.ts';
import type { Told } from '../../../subgraphs/agents/service/rollout/evidence.ts';

/** How a version differs from the one before; the old one and a good one differ in nothing. */
export interface Version {
  name: string;
  /** What is wrong with it, for the report. */
  fault: string;
  errorShare: number;
  latencyFactor: number;
  requestFactor: number;
  /** Growth of memory, a minute. */
  leak: number;
  /** Crashes a minute. */
  crashes: number;
  startMs: number;
  /** Share of its agents that are affected. */
  share: number;
  /** When it begins, after the start, milliseconds. */
  delayMs: number;
}

export const GOOD: Version = {
  ...{ name: 'old', fault: 'none', errorShare: 0, latencyFactor: 1, requestFactor: 1, leak: 0, crashes: 0 },
  ...{ startMs: 2_500, share: 1, delayMs: 0 },
};

/** Normal deviates of a seeded chance. Source: Box and Muller 1958. */
export class Deviates extends Chance {
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** A count of this mean: Knuth's for few, the normal for many. */
  poisson(mean: number): number {
    if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.next(); product > limit; product *= this.next()) count += 1;
    return count;
  }
}

const RESTART_MS = 4_000;
const OWN_CRASHES_A_MINUTE = 0.002;
const INCIDENTS_A_MINUTE = 0.004;

/** One simulated agent: a temper of its own, noise, incidents that are nobody's fault, and what its version does to it. */
export class SimulatedAgent {
  version: Version;
  /** When it is up again. */
  upMs = 0;
  sinceMs = 0;
  restarts = 0;
  health = 100;
  readonly #window: BeatSample[] = [];
  readonly #errors: number;
  readonly #latency: number;
  readonly #requests: number;
  readonly #memory: number;
  #drift = 0;
  #isAffected = false;
  #incidentMs = 0;
  #restartsAtMs: number[] = [];

  constructor(
    readonly uuid: string,
    private readonly chance: Deviates,
    version: Version,
  ) {
    this.version = version;
    this.#errors = 0.008 * Math.exp(0.5 * chance.normal());
    this.#latency = 250 * Math.exp(0.3 * chance.normal());
    this.#requests = 6 * Math.exp(0.4 * chance.normal());
    this.#memory = 2e8 * Math.exp(0.2 * chance.normal());
    this.sinceMs = -3_600_000;
  }

  /** Switches to a version: it is away while it starts. */
  take(version: Version, nowMs: number): void {
    this.version = version;
    this.#isAffected = this.chance.happens(version.share);
    this.#start(nowMs, version.startMs * (0.7 + 0.6 * this.chance.next()));
  }

  isUp(nowMs: number): boolean {
    return nowMs >= this.upMs;
  }

  /** Two seconds of its life. @param weather what all agents have in common: load, latency of what they depend on */
  beat(nowMs: number, weather: { load: number; latency: number }): Told | undefined {
    const { chance, version } = this;
    const isIll = this.#isAffected && nowMs - this.sinceMs >= version.delayMs;
    const minutes = 2 / 60;
    if (chance.happens((OWN_CRASHES_A_MINUTE + (isIll ? version.crashes : 0)) * minutes)) {
      this.restarts += 1;
      this.#restartsAtMs = [...this.#restartsAtMs, nowMs].slice(-20);
      this.#start(nowMs, RESTART_MS);
      return undefined;
    }
    if (chance.happens(INCIDENTS_A_MINUTE * minutes)) this.#incidentMs = nowMs + 30_000 + 60_000 * chance.next();
    const isUnlucky = nowMs < this.#incidentMs;
    // Beats are not independent: a slow agent stays slow for a while.
    this.#drift = 0.9 * this.#drift + 0.05 * chance.normal();
    const age = Math.max(0, nowMs - this.sinceMs);
    const requests = chance.poisson(this.#requests * weather.load * (isIll ? version.requestFactor : 1));
    const share = this.#errors + (isIll ? version.errorShare : 0) + (isUnlucky ? 0.15 : 0);
    const errors = chance.poisson(requests * Math.min(1, share));
    const cold = 1 + 0.8 * Math.exp(-age / 6_000);
    const latencyMs =
      this.#latency *
      weather.latency *
      cold *
      (isIll ? version.latencyFactor : 1) *
      (isUnlucky ? 2 : 1) *
      Math.exp(this.#drift + 0.25 * chance.normal());
    const grown = isIll ? Math.exp((version.leak * age) / 60_000) : 1;
    const memoryBytes = this.#memory * (1 - 0.3 * Math.exp(-age / 15_000)) * grown * Math.exp(0.03 * chance.normal());
    this.#window.push({ requests, errors: Math.min(errors, requests), latencyMs: requests ? latencyMs : null });
    if (this.#window.length > 5) this.#window.shift();
    this.health = this.#score(nowMs);
    return { requests, errors, latencyMs: requests ? latencyMs : null, memoryBytes, health: this.health };
  }

  #score(nowMs: number): number {
    return healthOf(
      {
        ...{ state: AgentState.RUNNING, desired: AgentState.RUNNING, presence: AgentPresence.ONLINE, seen: true },
        ...{ window: this.#window, failedChecks: [], queue: 0, restartsAtMs: this.#restartsAtMs },
      },
      nowMs,
    ).score;
  }

  #start(nowMs: number, ms: number): void {
    this.upMs = nowMs + ms;
    this.sinceMs = this.upMs;
    this.#window.length = 0;
  }
}
