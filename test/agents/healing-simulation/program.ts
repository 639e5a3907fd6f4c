import { AgentState } from '../../../subgraphs/agents/entity/enums.ts';
import type { LiveAgent } from '../../../subgraphs/agents/service/live.ts';
import type { Chance } from './chance.ts';
import { afflicted, BEYOND_RESTART, binomial, type Fault, isUnheard, usualWork, type Work } from './faults.ts';

export const BEAT_MS = 2_000;
/** A restart does not mend this share of what it could. */
const IN_VAIN = 0.1;

/** An agent's program: works, beats, suffers, and does what it is told when it is told. */
export class Program {
  fault: Fault | undefined;
  /** Since when it is without a fault, though it may not be well yet. */
  mendedMs = 0;
  /** When it last had no answer from what it depends on. */
  starvedMs = 0;
  nextBeatMs: number;
  sequence = 0;
  configVersion = 1;
  /** Commands on their way: when they are done. */
  readonly orders: { name: 'restart' | 'config'; doneMs: number }[] = [];
  readonly #usualMs: number;
  #isKilled = false;

  constructor(
    readonly live: LiveAgent,
    private readonly chance: Chance,
  ) {
    this.nextBeatMs = chance.between(0, BEAT_MS);
    this.#usualMs = chance.between(30, 250);
  }

  /** Whether it does none of its work for want of an answer. */
  get isDown(): boolean {
    return this.fault !== undefined && ['crash', 'hang', 'dependency down', 'failure'].includes(this.fault.kind);
  }

  /** Whether it holds its connection: a process that was killed does not, one that hangs or is cut off does. */
  get isConnected(): boolean {
    return !this.fault || !this.#isKilled;
  }

  afflict(fault: Fault): void {
    this.fault = fault;
    // What others depend on dies, or hangs.
    this.#isKilled = fault.kind === 'crash' || (fault.kind === 'dependency down' && this.chance.happens(0.5));
    if (fault.kind === 'bad configuration') this.configVersion += 1;
  }

  mend(nowMs: number): void {
    this.fault = undefined;
    this.mendedMs = nowMs;
  }

  /** Passes time: what was ordered is done, what passes by itself has passed. */
  pass(nowMs: number): void {
    if (this.fault && nowMs >= this.fault.untilMs) this.mend(nowMs);
    // Whoever cannot be reached does what it was told once it can.
    if (this.fault?.kind === 'partition') return;
    for (const order of this.orders.filter(({ doneMs }) => doneMs <= nowMs)) {
      this.orders.splice(this.orders.indexOf(order), 1);
      if (order.name === 'config') this.#reconfigured(nowMs);
      else this.#restarted(nowMs);
    }
  }

  /** The beat it sends now; undefined when none arrives. @param starved whether what it depends on does not answer */
  beat(nowMs: number, starved: boolean): { state: AgentState; work: Work } | undefined {
    const { chance, fault } = this;
    // The usual interval, some jitter, now and then a pause of the collector.
    this.nextBeatMs =
      nowMs + BEAT_MS * chance.between(0.95, 1.05) + (chance.happens(0.003) ? chance.between(500, 3_000) : 0);
    if (fault && isUnheard(fault, chance)) return undefined;
    if (chance.happens(0.002)) {
      // A request that failed is sent anew.
      this.nextBeatMs = nowMs + chance.between(500, 1_000);
      return undefined;
    }
    this.sequence += 1;
    const usual = usualWork(this.#usualMs, chance);
    const work = fault ? afflicted(usual, fault.kind, nowMs - fault.sinceMs, chance) : usual;
    if (starved) this.starvedMs = nowMs;
    if (starved) work.errors = Math.max(work.errors, binomial(work.requests, 0.8, chance));
    return { state: fault?.kind === 'failure' ? AgentState.FAILED : AgentState.RUNNING, work };
  }

  order(name: 'restart' | 'config', nowMs: number): void {
    // To its host, the start of a process, its first connection.
    const tookMs = name === 'restart' ? this.chance.between(600, 1_800) : this.chance.between(100, 400);
    this.orders.push({ name, doneMs: nowMs + tookMs });
  }

  #reconfigured(nowMs: number): void {
    this.configVersion += 1;
    if (this.fault?.kind === 'bad configuration') this.mend(nowMs);
  }

  #restarted(nowMs: number): void {
    const { live, fault, chance } = this;
    const mends = fault && !BEYOND_RESTART.includes(fault.kind) && !chance.happens(IN_VAIN);
    if (mends) this.mend(nowMs);
    live.restartsAtMs = [...live.restartsAtMs, nowMs].slice(-20);
    const counts = { criticalBeats: 0, degradedBeats: 0, acuteBeats: 0 };
    Object.assign(live, { window: [], failedChecks: [], queue: 0, ...counts });
    this.nextBeatMs = nowMs + 50;
  }
}
