import { FleetError } from '../../lib/errors.ts';
import { DISCOVERY_LIMITS, type Discovery, type Findings, type Found } from './discovery.ts';

/** What a replica says of itself. */
export interface Registration {
  readonly subgraph: string;
  /** http://host:port/graphql */
  readonly url: string;
  /** Its schema; one that tells none takes part in what the supergraph has. */
  readonly sdl?: string | undefined;
  /** How long it holds unless it is renewed, seconds; 0: it leaves. */
  readonly leaseSeconds: number;
}

interface Lease {
  readonly registration: Registration;
  readonly untilMs: number;
}

const LOOK_MS = 500;

/**
 * Replicas that register themselves, each for the time of its lease. The last replica of a subgraph goes with its lease
 * like any other: its calls are refused then, and its part of the schema stays.
 */
export class Registrations implements Discovery {
  readonly #leases = new Map<string, Lease>();
  readonly #sdls = new Map<string, string>();
  #onChange: ((findings: Findings) => void) | undefined;

  constructor(private readonly nowMs: () => number) {}

  watch(onChange: (findings: Findings) => void): () => void {
    this.#onChange = onChange;
    const timer = setInterval(() => this.expire(), LOOK_MS);
    timer.unref();
    return () => {
      clearInterval(timer);
      this.#onChange = undefined;
    };
  }

  get size(): number {
    return this.#leases.size;
  }

  /**
   * Takes, renews or ends a replica's registration.
   * @throws FleetError OVERLOADED when there are too many
   */
  register(registration: Registration): void {
    const { subgraph, url, sdl, leaseSeconds } = registration;
    const key = `${subgraph} ${url}`;
    const before = this.#leases.get(key);
    if (leaseSeconds === 0) {
      if (this.#leases.delete(key)) this.#tell();
      return;
    }
    if (!before) this.#requireRoom(subgraph);
    this.#leases.set(key, { registration, untilMs: this.nowMs() + 1_000 * leaseSeconds });
    const isNewSdl = sdl !== undefined && this.#sdls.get(subgraph) !== sdl;
    if (isNewSdl) this.#sdls.set(subgraph, sdl);
    if (!before || isNewSdl) this.#tell();
  }

  /** Takes away those whose lease is over. */
  expire(): void {
    const nowMs = this.nowMs();
    let isChanged = false;
    for (const [key, { untilMs }] of this.#leases) {
      if (untilMs <= nowMs) isChanged = this.#leases.delete(key) || isChanged;
    }
    if (isChanged) this.#tell();
  }

  #requireRoom(subgraph: string): void {
    const names = new Set([...this.#leases.values()].map((lease) => lease.registration.subgraph));
    const replicas = [...this.#leases.values()].filter((lease) => lease.registration.subgraph === subgraph).length;
    const isFull = replicas >= DISCOVERY_LIMITS.replicas;
    if (isFull || (!names.has(subgraph) && this.#known(names) >= DISCOVERY_LIMITS.subgraphs)) {
      throw new FleetError('OVERLOADED', 'there is no room for more registrations', { retryAfterMs: 10_000 });
    }
  }

  #known(names: ReadonlySet<string>): number {
    return new Set([...names, ...this.#sdls.keys()]).size;
  }

  #tell(): void {
    const found: Record<string, Found> = {};
    for (const [subgraph, sdl] of this.#sdls) found[subgraph] = { urls: [], sdl };
    for (const { registration } of this.#leases.values()) {
      const { subgraph, url } = registration;
      const before = found[subgraph] ?? { urls: [] };
      found[subgraph] = { ...before, urls: [...before.urls, url] };
    }
    this.#onChange?.(found);
  }
}
