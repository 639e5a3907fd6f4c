import type { Principal } from '../../lib/call/principal.ts';
import type { Clock } from '../../lib/clock.ts';
import { BoundedMap } from './bounded-map.ts';

const SECONDS = 60;
const CLIENTS = 1_000;

interface Client {
  principal: Principal;
  limited: number;
  cost: number;
  /** Requests of each second of the last minute, and which second each place stands for. */
  counts: Uint32Array;
  seconds: Float64Array;
}

/** What one client did. */
export interface ClientUsage {
  principal: Principal;
  /** Over the last minute. */
  requestsPerSecond: number;
  /** Requests refused by its rate since the router started. */
  limited: number;
  /** Cost of its requests since the router started. */
  costUsed: number;
}

/** Who called how much: the thousand clients seen last. */
export class UsageBook {
  readonly #clients = new BoundedMap<string, Client>(CLIENTS);

  constructor(private readonly clock: Clock) {}

  request(principal: Principal, cost = 1): void {
    const client = this.#client(principal);
    const second = Math.floor(this.clock.nowMs() / 1_000);
    const place = second % SECONDS;
    if (client.seconds[place] !== second) {
      client.seconds[place] = second;
      client.counts[place] = 0;
    }
    client.counts[place] = (client.counts[place] as number) + 1;
    client.cost += cost;
  }

  limited(principal: Principal): void {
    this.#client(principal).limited += 1;
  }

  /** The busiest first. */
  all(): ClientUsage[] {
    const newest = Math.floor(this.clock.nowMs() / 1_000);
    const usages = [...this.#clients.values()].map(({ principal, limited, cost, counts, seconds }) => {
      let requests = 0;
      seconds.forEach((second, place) => {
        if (second > newest - SECONDS && second <= newest) requests += counts[place] as number;
      });
      return { principal, requestsPerSecond: requests / SECONDS, limited, costUsed: cost };
    });
    return usages.sort((one, other) => other.requestsPerSecond - one.requestsPerSecond);
  }

  #client(principal: Principal): Client {
    const known = this.#clients.get(principal.id);
    if (known) return known;
    const client: Client = {
      principal,
      limited: 0,
      cost: 0,
      counts: new Uint32Array(SECONDS),
      seconds: new Float64Array(SECONDS).fill(-1),
    };
    this.#clients.set(principal.id, client);
    return client;
  }
}
