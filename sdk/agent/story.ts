import { traceDigits } from '../telemetry/traceparent.ts';
import type { AgentEventReport } from '../wire/operations.ts';
import type { Surroundings } from '../wire/surroundings.ts';

/** Events in one beat; the platform takes no more. */
const EVENTS_A_BEAT = 64;
const MAX_WAITING = 512;
const MAX_DETAIL_BYTES = 2_000;

/** What an agent has to tell of its life: each event waits until a beat that carried it was taken, and is stored once by its id. */
export class Story {
  #waiting: AgentEventReport[] = [];
  #lastMs = 0;
  /** Events not taken because too many waited. */
  dropped = 0;

  constructor(private readonly surroundings: Surroundings) {}

  get length(): number {
    return this.#waiting.length;
  }

  /** @param name `hook.…` or `own.…` @throws TypeError for a detail of more than 2,000 bytes of JSON */
  add(name: string, detail: Record<string, unknown>): void {
    if (new TextEncoder().encode(JSON.stringify(detail)).length > MAX_DETAIL_BYTES)
      throw new TypeError(`the detail of ${name} is too long`);
    if (this.#waiting.length >= MAX_WAITING) {
      this.dropped++;
      return;
    }
    const { nowMs, random } = this.surroundings;
    // Each a millisecond after the one before, so that the timeline keeps their order.
    this.#lastMs = Math.max(this.#lastMs + 1, Math.floor(nowMs()));
    const occurredAt = new Date(this.#lastMs).toISOString();
    this.#waiting.push({ id: traceDigits(32, random), occurredAt, name, detail });
  }

  /** What the next beat carries. */
  next(): AgentEventReport[] {
    return this.#waiting.slice(0, EVENTS_A_BEAT);
  }

  /** These were stored. */
  taken(events: readonly AgentEventReport[]): void {
    const ids = new Set(events.map(({ id }) => id));
    this.#waiting = this.#waiting.filter(({ id }) => !ids.has(id));
  }

  /** Forgets what waits: the platform is older than events. */
  forget(): void {
    this.#waiting = [];
  }
}
