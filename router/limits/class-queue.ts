import type { Ticket } from './fair-queue.ts';

interface Waiting<T> {
  ticket: T;
  /** From then on it is stale: its client had better have a fresh one done. */
  staleMs: number;
  /** From then on it would hardly be answered in time. */
  hopelessMs: number;
  untilMs: number;
}

interface Client<T> {
  /** The oldest first. */
  waiting: Waiting<T>[];
  /** When its turns are, in virtual time: as many as wait. */
  turns: number[];
  /** Whether its newest was taken last, before its oldest. */
  wasNewest: boolean;
  /** The virtual time at which all it has asked for is done. */
  finishTag: number;
}

/** Of the time that a stale ticket still waits, the last part in which it is hopeless: 1 / this. */
const HOPELESS_PART = 3;
/** Clients remembered without anything waiting. */
const IDLE_CLIENTS = 1_000;

/**
 * Tickets of one priority, in the order of start-time fair queuing over their clients. A client's own come in their order
 * while they are fresh; once its oldest is stale its newest comes first (adaptive LIFO, Maurer, Fail at Scale, 2015): who
 * waits longest under a standing overload has mostly gone by the time it is answered. Every second turn is its oldest's
 * all the same while that may still be answered in time: those who were kept by a stall that is over are not left to expire.
 */
export class ClassQueue<T extends Ticket> {
  readonly #clients = new Map<string, Client<T>>();
  #virtual = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  waitingOf(client: string): number {
    return this.#clients.get(client)?.waiting.length ?? 0;
  }

  add(ticket: T, staleMs: number, untilMs: number): void {
    const client = this.#client(ticket.client);
    const startTag = Math.max(this.#virtual, client.finishTag);
    client.finishTag = startTag + Math.max(1, ticket.cost) / ticket.weight;
    client.turns.push(startTag);
    client.waiting.push({ ticket, staleMs, hopelessMs: untilMs - (untilMs - staleMs) / HOPELESS_PART, untilMs });
    this.#size += 1;
  }

  /** Takes out whose turn it is. */
  next(nowMs: number): T | undefined {
    let first: Client<T> | undefined;
    let turn = Number.POSITIVE_INFINITY;
    for (const client of this.#clients.values()) {
      const own = client.turns[0];
      if (own === undefined || own >= turn) continue;
      first = client;
      turn = own;
    }
    const [oldest] = first?.waiting ?? [];
    if (!first || !oldest) return undefined;
    first.turns.shift();
    first.wasNewest = oldest.staleMs <= nowMs && (oldest.hopelessMs <= nowMs || !first.wasNewest);
    const taken = first.wasNewest ? first.waiting.pop() : first.waiting.shift();
    this.#virtual = Math.max(this.#virtual, turn);
    this.#size -= 1;
    return taken?.ticket;
  }

  /** @returns whether it was there */
  remove(ticket: T): boolean {
    const client = this.#clients.get(ticket.client);
    const at = client?.waiting.findIndex((each) => each.ticket === ticket) ?? -1;
    if (!client || at < 0) return false;
    client.waiting.splice(at, 1);
    // What was not done is not owed: those behind it move up.
    client.finishTag = client.turns.pop() ?? client.finishTag;
    this.#size -= 1;
    return true;
  }

  /** Those that have waited too long; each client's oldest come first, so the rest of it is not looked at. */
  expired(nowMs: number): T[] {
    const expired: T[] = [];
    for (const { waiting } of this.#clients.values()) {
      for (const { ticket, untilMs } of waiting) {
        if (untilMs > nowMs) break;
        expired.push(ticket);
      }
    }
    return expired;
  }

  /** The last that came of the client with most waiting. */
  newestOfLongest(): T | undefined {
    let longest: Waiting<T>[] = [];
    for (const { waiting } of this.#clients.values()) if (waiting.length > longest.length) longest = waiting;
    return longest.at(-1)?.ticket;
  }

  #client(name: string): Client<T> {
    const known = this.#clients.get(name);
    if (known) return known;
    if (this.#clients.size >= IDLE_CLIENTS + this.#size) this.#forget();
    const client: Client<T> = { waiting: [], turns: [], wasNewest: false, finishTag: 0 };
    this.#clients.set(name, client);
    return client;
  }

  /** Whoever waits for nothing is forgotten: at most one turn comes too soon for it. */
  #forget(): void {
    for (const [name, { waiting }] of this.#clients) if (waiting.length === 0) this.#clients.delete(name);
  }
}
