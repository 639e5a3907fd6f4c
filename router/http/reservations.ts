import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Principal } from '../../lib/call/principal.ts';
import { FleetError } from '../../lib/errors.ts';
import { type BoundedStream, QueueRoom } from './bounded-stream.ts';

/** How many streams may be reserved, and for how long. */
export const RESERVATION_LIMITS = { perCaller: 64, all: 8_192, operations: 256, unopenedMs: 30_000 } as const;

const TOKEN_BYTES = 24;

/** One stream that carries many operations (graphql-sse, single connection), reserved before it is opened. */
export class Reservation {
  readonly token = randomBytes(TOKEN_BYTES).toString('base64url');
  /** By id; undefined while one is being admitted. */
  readonly operations = new Map<string, BoundedStream | undefined>();
  /** What waits for its reader, whichever operation it is of. */
  readonly room = new QueueRoom();
  /** Undefined when it was given up before. */
  readonly opened: Promise<ServerResponse | undefined>;
  #open!: (response: ServerResponse | undefined) => void;
  #isOpen = false;

  constructor(
    readonly principal: Principal,
    private readonly leave: () => void,
  ) {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  open(response: ServerResponse): void {
    this.#isOpen = true;
    this.#open(response);
  }

  /** Ends every operation, and the reservation. */
  close(): void {
    for (const stream of this.operations.values()) stream?.close();
    this.operations.clear();
    this.#open(undefined);
    this.leave();
  }
}

/** Streams that callers reserved: each belongs to the caller who did, and is forgotten when it is not opened in time. */
export class Reservations {
  readonly #byToken = new Map<string, Reservation>();
  readonly #counts = new Map<string, number>();

  constructor(private readonly limits: typeof RESERVATION_LIMITS = RESERVATION_LIMITS) {}

  /** @throws OVERLOADED when there are too many, of this caller or in all */
  make(principal: Principal): Reservation {
    const { perCaller, all, unopenedMs } = this.limits;
    const { id } = principal;
    const count = this.#counts.get(id) ?? 0;
    if (count >= perCaller) throw new FleetError('OVERLOADED', `a caller has at most ${perCaller} streams reserved`);
    if (this.#byToken.size >= all) throw new FleetError('OVERLOADED', `at most ${all} streams are reserved`);
    const forgetting = setTimeout(() => reservation.close(), unopenedMs).unref();
    const reservation: Reservation = new Reservation(principal, () => {
      clearTimeout(forgetting);
      if (this.#byToken.delete(reservation.token)) this.#countOff(id);
    });
    void reservation.opened.then(() => clearTimeout(forgetting));
    this.#byToken.set(reservation.token, reservation);
    this.#counts.set(id, count + 1);
    return reservation;
  }

  /** Undefined for one that is not there, or is another caller's. */
  find(token: string, { id }: Principal): Reservation | undefined {
    const reservation = this.#byToken.get(token);
    return reservation?.principal.id === id ? reservation : undefined;
  }

  #countOff(id: string): void {
    const count = this.#counts.get(id) ?? 0;
    if (count <= 1) this.#counts.delete(id);
    else this.#counts.set(id, count - 1);
  }
}
