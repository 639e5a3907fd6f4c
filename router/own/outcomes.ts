import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import { argumentsHash } from '../../lib/write/canonical.ts';
import { BoundedMap } from '../callers/bounded-map.ts';

const KEPT = 1_000;
const KEPT_MS = 24 * 3_600_000;

interface Kept<T> {
  arguments: string;
  atMs: number;
  outcome: Promise<T>;
}

/** Outcomes by idempotency key, so that a repeat returns the first one; a repeat while it is under way waits for it. */
export class Outcomes<T> {
  readonly #kept = new BoundedMap<string, Kept<T>>(KEPT);

  constructor(private readonly clock: Clock) {}

  /** @throws IDEMPOTENCY_KEY_REUSED for the same key with other arguments */
  once(key: string | undefined, input: object, run: () => Promise<T>): Promise<T> {
    if (key === undefined) return run();
    const given = argumentsHash(input);
    const atMs = this.clock.nowMs();
    const kept = this.#kept.get(key);
    if (kept && atMs - kept.atMs < KEPT_MS) {
      if (kept.arguments === given) return kept.outcome;
      throw new FleetError('IDEMPOTENCY_KEY_REUSED', 'this key was used with other arguments: take a new one');
    }
    const outcome = run();
    this.#kept.set(key, { arguments: given, atMs, outcome });
    // What did not come to an outcome may be tried again.
    outcome.catch(() => this.#kept.delete(key));
    return outcome;
  }
}
