import { closingVerdict } from '../../../subgraphs/agents/service/closings.ts';
import { isCrowdLate, type LeaseTerms, Listening } from '../../../subgraphs/agents/service/lease.ts';
import {
  learned,
  NEW_RHYTHM,
  type Patience,
  patienceOf,
  presenceAt,
  type Rhythm,
} from '../../../subgraphs/agents/service/suspicion.ts';
import { newTally, type Tally } from './tally.ts';
import { Chance, delayMs, lagMs } from './weather.ts';

/** Looked up once: this is asked of every agent at every look. */
const { isNaN: isNone, POSITIVE_INFINITY: NEVER } = Number;
const { max } = Math;
const LOOK_MS = 200;
const CLOSING_MS = 40;
const WINDOW_MS = 1_000;
const KILL_CHANCE = 1e-4;
const RESET_CHANCE = 1e-5;
const REVIVAL_MS = 40_000;
const EXAMPLES = 5;
const [ONLINE, SUSPECT, OFFLINE] = [0, 1, 2] as const;
const NUMBER = { ONLINE, SUSPECT, OFFLINE } as const;

export interface WorldOptions {
  agents: number;
  beats: number;
  seed: number;
  terms: LeaseTerms;
}

/**
 * A fleet and the platform that listens to it, under the platform's own rules: the functions of suspicion.ts, closings.ts and
 * lease.ts are those it runs with. Times are true milliseconds since the start; the platform's clock is `#skewMs` beside them.
 */
export class World {
  readonly #chance: Chance;
  readonly #tally: Tally;
  readonly #listening: Listening;
  readonly #heard: Float64Array;
  readonly #closed: Float64Array;
  readonly #sure: Uint8Array;
  readonly #presence: Uint8Array;
  readonly #rhythms: Rhythm[];
  readonly #patience: Patience[];
  /** When its next beat arrives, it dies, or comes to life again. */
  readonly #due: Float64Array;
  readonly #sent: Float64Array;
  /** When it was killed; NaN while it lives. */
  readonly #diedMs: Float64Array;
  readonly #dies: Uint8Array;
  /** When its connection comes back; Infinity while it is there, or dead. */
  readonly #reopens: Float64Array;
  /** Until when its road is blocked. */
  readonly #stalled: Float64Array;
  #open: number;
  #pending: { agent: number; atMs: number }[] = [];
  #recentMs: number[] = [];
  #nowMs = 0;
  #skewMs = 0;
  /** The platform hears nothing until then: itself away, or its router. */
  #awayUntilMs = 0;
  #isRestarting = false;
  #pausedUntilMs = 0;

  constructor(private readonly options: WorldOptions) {
    const { agents, seed, terms } = options;
    this.#chance = new Chance(seed);
    this.#tally = newTally(agents);
    this.#listening = new Listening(() => terms, 0);
    const numbers = (value: number) => new Float64Array(agents).fill(value);
    this.#heard = numbers(0);
    this.#closed = numbers(Number.NaN);
    this.#sure = new Uint8Array(agents);
    this.#presence = new Uint8Array(agents);
    this.#rhythms = new Array<Rhythm>(agents).fill(NEW_RHYTHM);
    this.#patience = new Array<Patience>(agents).fill(patienceOf(NEW_RHYTHM, terms));
    this.#due = numbers(0).map(() => this.#chance.between(0, terms.beatEveryMs));
    this.#sent = this.#due.slice();
    this.#diedMs = numbers(Number.NaN);
    this.#dies = new Uint8Array(agents);
    this.#reopens = numbers(NEVER);
    this.#stalled = numbers(0);
    this.#open = agents;
  }

  run(): Tally {
    while (this.#tally.beats < this.options.beats) {
      this.#nowMs += LOOK_MS;
      this.#befall();
      if (this.#nowMs < this.#pausedUntilMs) continue;
      if (this.#isRestarting && this.#nowMs >= this.#awayUntilMs) this.#begin();
      // After a pause of our own the timers come first, and then what was received meanwhile.
      if (!this.#isRestarting) this.#look();
      this.#receive();
      if (!this.#isRestarting) this.#judge();
    }
    this.#tally.simulatedS = this.#nowMs / 1_000;
    return this.#tally;
  }

  /** What befalls the platform, its roads and its clock, each every few minutes. */
  #befall(): void {
    const happens = (everyS: number) => this.#chance.next() < LOOK_MS / (everyS * 1_000);
    const { agents } = this.options;
    if (happens(300)) this.#stall(Math.ceil(agents / 20), 300, 3_500);
    if (happens(20)) this.#stall(10, 300, 3_000);
    if (happens(300)) this.#skew();
    if (happens(120)) this.#pausedUntilMs = this.#nowMs + this.#note('own pauses', this.#chance.between(200, 5_000));
    if (this.#nowMs < this.#awayUntilMs + 30_000) return;
    if (happens(600)) this.#away('router restarts', 500, 8_000, false);
    else if (happens(900)) this.#away('platform restarts', 1_000, 60_000, true);
  }

  #note(name: string, value: number): number {
    this.#tally.events[name] = (this.#tally.events[name] ?? 0) + 1;
    return value;
  }

  #skew(): void {
    const far = this.#chance.between(-3_600_000, 3_600_000);
    this.#skewMs += this.#note('clock jumps', far);
  }

  #stall(count: number, leastMs: number, mostMs: number): void {
    const from = Math.floor(this.#chance.next() * this.options.agents);
    const untilMs = this.#nowMs + this.#note(`stalls of ${count}`, this.#chance.between(leastMs, mostMs));
    for (let at = 0; at < count; at++) {
      const agent = (from + at) % this.options.agents;
      this.#stalled[agent] = untilMs;
      // What is on its way waits.
      if (!this.#dies[agent] && isNone(this.#diedMs[agent])) {
        this.#due[agent] = max(this.#due[agent] as number, untilMs + 100 * this.#chance.next());
      }
    }
  }

  #away(name: string, leastMs: number, mostMs: number, isRestarting: boolean): void {
    this.#awayUntilMs = this.#nowMs + this.#note(name, this.#chance.between(leastMs, mostMs));
    this.#isRestarting = isRestarting;
    for (let agent = 0; agent < this.options.agents; agent++) {
      if (!isNone(this.#diedMs[agent])) continue;
      if (!isRestarting && this.#reopens[agent] === NEVER) this.#close(agent, this.#nowMs);
      this.#reopens[agent] = this.#awayUntilMs + this.#chance.between(100, 2_000);
    }
  }

  /** A platform that starts gives everybody a whole lease, and knows nothing of rhythms and connections. */
  #begin(): void {
    this.#isRestarting = false;
    this.#pending = [];
    this.#open = 0;
    this.#listening.look(this.#clock(), LOOK_MS);
    this.#listening.heard(this.#clock());
    this.#closed.fill(Number.NaN);
    this.#rhythms.fill(NEW_RHYTHM);
    this.#patience.fill(patienceOf(NEW_RHYTHM, this.options.terms));
    for (let agent = 0; agent < this.options.agents; agent++) {
      if (this.#presence[agent] !== OFFLINE) this.#heard[agent] = this.#clock();
    }
  }

  #clock(): number {
    return this.#nowMs + this.#skewMs;
  }

  #receive(): void {
    const { agents } = this.options;
    const isAway = this.#nowMs < this.#awayUntilMs;
    for (let agent = 0; agent < agents; agent++) {
      if ((this.#due[agent] as number) > this.#nowMs) continue;
      if (!isNone(this.#diedMs[agent])) this.#revive(agent);
      else if (this.#dies[agent]) this.#die(agent);
      // A beat that nobody took is sent again within an interval.
      else if (isAway) this.#due[agent] = this.#nowMs + this.#chance.between(200, this.options.terms.beatEveryMs);
      else this.#hear(agent);
    }
    if (isAway) return;
    for (let agent = 0; agent < agents; agent++) {
      if ((this.#reopens[agent] as number) > this.#nowMs) continue;
      this.#reopens[agent] = NEVER;
      this.#closed[agent] = Number.NaN;
      this.#open += 1;
    }
  }

  #hear(agent: number): void {
    const { terms } = this.options;
    const clock = this.#clock();
    this.#tally.beats += 1;
    this.#listening.heard(clock);
    if (this.#presence[agent] !== OFFLINE) {
      const gapMs = clock - (this.#heard[agent] as number);
      this.#rhythms[agent] = learned(this.#rhythms[agent] as Rhythm, gapMs, terms.beatEveryMs, terms);
    }
    this.#patience[agent] = patienceOf(this.#rhythms[agent] as Rhythm, terms);
    this.#heard[agent] = clock;
    this.#closed[agent] = Number.NaN;
    this.#presence[agent] = ONLINE;
    this.#plan(agent);
  }

  /** When its next beat comes: an interval after it sent the last, later while it waits for the answer, pauses, or its road is blocked. */
  #plan(agent: number): void {
    const { beatEveryMs } = this.options.terms;
    const chance = this.#chance;
    const luck = chance.next();
    if (luck < KILL_CHANCE) {
      this.#dies[agent] = 1;
      this.#due[agent] = this.#nowMs + chance.between(0, beatEveryMs);
      return;
    }
    if (luck < KILL_CHANCE + RESET_CHANCE && this.#reopens[agent] === NEVER) {
      this.#note('resets', 0);
      this.#close(agent, this.#nowMs);
      this.#reopens[agent] = max(this.#nowMs, this.#stalled[agent] as number) + chance.between(100, 1_000);
    }
    const answered = this.#due[agent] as number;
    const sent = max((this.#sent[agent] as number) + beatEveryMs, answered) + lagMs(chance);
    this.#sent[agent] = sent;
    this.#due[agent] = max(sent + delayMs(chance), this.#stalled[agent] as number);
  }

  #close(agent: number, atMs: number): void {
    this.#open -= 1;
    this.#pending.push({ agent, atMs });
  }

  #die(agent: number): void {
    const wasOpen = this.#reopens[agent] === NEVER;
    const diedMs = this.#due[agent] as number;
    this.#diedMs[agent] = diedMs;
    // One in five goes without a word: then nothing closes for us to see.
    this.#dies[agent] = this.#chance.next() < 0.2 ? 2 : 1;
    this.#note(this.#dies[agent] === 2 ? 'losses' : 'kills', 0);
    if (wasOpen && this.#dies[agent] === 1) this.#close(agent, diedMs);
    else if (wasOpen) this.#open -= 1;
    this.#reopens[agent] = NEVER;
    this.#due[agent] = this.#nowMs + REVIVAL_MS;
  }

  #revive(agent: number): void {
    this.#diedMs[agent] = Number.NaN;
    this.#dies[agent] = 0;
    this.#open += 1;
    this.#sent[agent] = this.#nowMs;
    this.#rhythms[agent] = NEW_RHYTHM;
    if (this.#nowMs < this.#awayUntilMs) this.#due[agent] = this.#awayUntilMs + this.#chance.between(0, 1_000);
    else this.#hear(agent);
  }

  /** What closed since, in the steps in which the platform looks at it. */
  #judge(): void {
    for (let atMs = this.#nowMs - LOOK_MS + CLOSING_MS; atMs <= this.#nowMs; atMs += CLOSING_MS) {
      if (!this.#pending.length) return;
      const due = this.#pending.filter((one) => one.atMs + CLOSING_MS <= atMs);
      if (!due.length) continue;
      this.#pending = this.#pending.filter((one) => one.atMs + CLOSING_MS > atMs);
      this.#recentMs = [...this.#recentMs, ...due.map((one) => one.atMs)].filter((one) => atMs - one < WINDOW_MS);
      const recent = this.#recentMs.length + this.#pending.filter((one) => one.atMs <= atMs).length;
      const verdict = closingVerdict(recent, this.#open);
      if (verdict === 'ours') this.#sure.fill(0);
      if (verdict === 'ours') continue;
      for (const one of due) this.#suspect(one.agent, one.atMs, verdict === 'theirs', atMs);
    }
  }

  #suspect(agent: number, closedMs: number, isSure: boolean, atMs: number): void {
    const clock = closedMs + this.#skewMs;
    if ((this.#heard[agent] as number) > clock || this.#presence[agent] === OFFLINE) return;
    this.#closed[agent] = clock;
    this.#sure[agent] = Number(isSure);
    if (this.#presence[agent] === ONLINE) this.#move(agent, SUSPECT, atMs);
  }

  #look(): void {
    const { agents, terms } = this.options;
    const clock = this.#clock();
    const shiftMs = this.#listening.look(clock, LOOK_MS);
    const quiet: number[] = [];
    let held = 0;
    let late = 0;
    for (let agent = 0; agent < agents; agent++) {
      if (this.#presence[agent] === OFFLINE) continue;
      held += 1;
      if (shiftMs !== 0) {
        this.#heard[agent] = Math.min(clock, (this.#heard[agent] as number) + shiftMs);
        this.#closed[agent] = (this.#closed[agent] as number) + shiftMs;
      }
      const silentMs = clock - (this.#heard[agent] as number);
      const isClosed = !isNone(this.#closed[agent]);
      if (!isClosed && silentMs < (this.#patience[agent] as Patience).suspectMs) continue;
      if (!isClosed) late += 1;
      quiet.push(agent);
    }
    if (!this.#listening.trusts(held, clock)) return void this.#sure.fill(0);
    const mayEnd = !isCrowdLate(late, held);
    for (const agent of quiet) {
      const [closedMs, isSure] = [this.#closed[agent] as number, this.#sure[agent] === 1];
      const silence = {
        heardMs: this.#heard[agent] as number,
        closedMs: isNone(closedMs) ? undefined : closedMs,
        isSure,
      };
      const presence = NUMBER[presenceAt(silence, this.#patience[agent] as Patience, terms, clock, mayEnd)];
      if (presence !== ONLINE && presence > (this.#presence[agent] as number)) this.#move(agent, presence, this.#nowMs);
    }
  }

  #move(agent: number, to: typeof SUSPECT | typeof OFFLINE, atMs: number): void {
    this.#presence[agent] = to;
    const diedMs = this.#diedMs[agent] as number;
    if (isNone(diedMs)) {
      if (to === SUSPECT) this.#tally.suspicions += 1;
      else this.#falseDeath(agent);
      return;
    }
    // Whoever died while, or just before, we could hear nobody is seen when we are back: that is no detection.
    if (diedMs < max(this.#awayUntilMs, this.#pausedUntilMs)) return;
    const tookMs = atMs - diedMs;
    const found = this.#dies[agent] === 2 ? this.#tally.lost : this.#tally.killed;
    (to === SUSPECT ? found.suspectMs : found.offlineMs).push(tookMs);
  }

  #falseDeath(agent: number): void {
    this.#tally.falseDeaths += 1;
    if (this.#tally.examples.length >= EXAMPLES) return;
    const since = (ms: number) => `${((this.#nowMs - ms) / 1_000).toFixed(1)} s`;
    const silent = `silent for ${((this.#clock() - (this.#heard[agent] as number)) / 1_000).toFixed(1)} s`;
    const closed = isNone(this.#closed[agent]) ? 'connected' : 'its connection closed';
    const stalled = `stall over since ${since(this.#stalled[agent] as number)}`;
    const away = `platform back since ${since(this.#awayUntilMs)}`;
    this.#tally.examples.push(
      `${silent}, ${closed}, ${stalled}, ${away}, beat due ${since(this.#due[agent] as number)} ago`,
    );
  }
}
