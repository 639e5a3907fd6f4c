import { lessLoadedOfTwo } from '../balance/two-choices.ts';
import { BoundedMap } from '../callers/bounded-map.ts';
import type { ProxiedEndpoint } from './endpoint-source.ts';
import { Instance } from './instance.ts';

const MOST = 50_000;

/** What is known of every address that was called lately, whatever service it was called for. */
export class Instances {
  readonly #known = new BoundedMap<string, Instance>(MOST);

  constructor(private readonly random: () => number) {}

  /**
   * Where a call goes: to one whose rest is over when it can be repeated elsewhere, else to the less loaded of two healthy
   * ones, else to whichever is left.
   * @param tried not these again
   */
  choose(
    endpoints: readonly ProxiedEndpoint[],
    tried: ReadonlySet<Instance>,
    mayProbe: boolean,
    nowMs: number,
  ): Instance | undefined {
    const all = endpoints.map((endpoint) => this.#of(endpoint, nowMs)).filter((one) => !tried.has(one));
    const due = all.find((one) => one.isProbeDue(nowMs));
    if (due && mayProbe && all.length > 1) return due;
    const healthy = lessLoadedOfTwo(
      all,
      (one) => one.isHealthy,
      (one) => one.load(nowMs),
      this.random,
    );
    return healthy ?? due ?? all[0];
  }

  /** How long until the first of them may be tried again, milliseconds. */
  restMs(endpoints: readonly ProxiedEndpoint[], nowMs: number): number {
    const times = endpoints.map((endpoint) => (this.#of(endpoint, nowMs).nextProbeAtMs ?? nowMs) - nowMs);
    return Math.max(0, Math.min(...times));
  }

  #of(endpoint: ProxiedEndpoint, nowMs: number): Instance {
    const key = `${endpoint.id} ${endpoint.url}`;
    const known = this.#known.get(key) ?? new Instance(endpoint, nowMs);
    known.endpoint = endpoint;
    this.#known.set(key, known);
    return known;
  }
}
