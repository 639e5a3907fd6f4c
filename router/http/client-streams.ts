import { FleetError } from '../../lib/errors.ts';

/** Subscriptions that one client may have running on a router. */
export const STREAMS_PER_CLIENT = 4_000;

/** How soon it may be worth to ask again, milliseconds: one of its own has to end first. */
const RETRY_MS = 5_000;

/** Counts the running subscriptions of each client: each holds memory here and at its subgraph as long as it likes. */
export class ClientStreams {
  readonly #running = new Map<string, number>();

  constructor(private readonly limit = STREAMS_PER_CLIENT) {}

  /** @throws RATE_LIMITED with `retryAfterMs` when this client may have no more */
  requireRoom(client: string): void {
    if ((this.#running.get(client) ?? 0) < this.limit) return;
    throw new FleetError('RATE_LIMITED', `you have ${this.limit} subscriptions running, and may have no more`, {
      retryAfterMs: RETRY_MS,
    });
  }

  /** One more runs. */
  enter(client: string): void {
    this.#running.set(client, (this.#running.get(client) ?? 0) + 1);
  }

  leave(client: string): void {
    const running = this.#running.get(client) ?? 0;
    if (running > 1) this.#running.set(client, running - 1);
    else this.#running.delete(client);
  }
}
