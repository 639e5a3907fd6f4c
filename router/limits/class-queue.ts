import type { Ticket } from './fair-queue.ts';

interface Waiting<T> {
  ticket: T;
  /** When its turn is, in virtual time. */
  startTag: number;
  untilMs: number;
}

interface Client<T> {
  waiting: Waiting<T>[];
  /** The virtual time at which all it has asked for is done. */
  finishTag: number;
}

/** Clients remembered without anything waiting. */
const IDLE_CLIENTS = 1_000;

/** Tickets of one priority, in the order of start-time fair queuing over their clients. */
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

  add(ticket: T, untilMs: number): void {
    const client = this.#client(ticket.client);
    const startTag = Math.max(this.#virtual, client.finishTag);
    client.finishTag = startTag + Math.max(1, ticket.cost) / ticket.weight;
    client.waiting.push({ ticket, startTag, untilMs });
    this.#size += 1;
  }

  /** Takes out whose turn it is. */
  next(): T | undefined {
    let first: Client<T> | undefined;
    for (const client of this.#clients.values()) {
      const tag = client.waiting[0]?.startTag;
      if (tag !== undefined && (!first || tag < (first.waiting[0] as Waiting<T>).startTag)) first = client;
    }
    const taken = first?.waiting.shift();
    if (!taken) return undefined;
    this.#virtual = Math.max(this.#virtual, taken.startTag);
    this.#size -= 1;
    return taken.ticket;
  }

  /** @returns whether it was there */
  remove(ticket: T): boolean {
    const client = this.#clients.get(ticket.client);
    const at = client?.waiting.findIndex((each) => each.ticket === ticket) ?? -1;
    const gone = client?.waiting[at];
    if (!client || !gone) return false;
    // What was not done is not owed; turns given out after it stay as they are.
    if (at === client.waiting.length - 1) client.finishTag = gone.startTag;
    client.waiting.splice(at, 1);
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
    const client: Client<T> = { waiting: [], finishTag: 0 };
    this.#clients.set(name, client);
    return client;
  }

  /** Whoever waits for nothing is forgotten: at most one turn comes too soon for it. */
  #forget(): void {
    for (const [name, { waiting }] of this.#clients) if (waiting.length === 0) this.#clients.delete(name);
  }
}
