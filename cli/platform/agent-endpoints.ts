import type { HouseClient } from '../../lib/call/house-client.ts';
import { systemPrincipal } from '../../lib/call/principal.ts';
import type { Clock } from '../../lib/clock.ts';
import { FleetError, messageOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { EndpointSource, ProxiedEndpoint } from '../../router/proxy/endpoint-source.ts';
import { EventParser } from '../../sdk/wire/sse.ts';

/** A service that nobody asked for so long is watched no more, milliseconds. */
const IDLE_MS = 5 * 60_000;
const RETRY_MS = 500;
const FIRST_MS = 3_000;
const MOST_WATCHED = 1_000;
/** The endpoint that takes requests, by its name, else the first web address. */
const PREFERRED = 'http';
const LEAST_HEALTH = 1;

interface Found {
  agentId: string;
  agent: string;
  endpoint: string;
  url: string;
  health: number;
  state: string;
  presence: string;
}

interface Watched {
  known: readonly ProxiedEndpoint[] | undefined;
  usedMs: number;
  cut: AbortController;
  first: Promise<void>;
}

/** Agents by name or kind, as the agents house knows them: watched from the first request on, so that a change is known at once. */
export class AgentEndpoints implements EndpointSource {
  readonly #watched = new Map<string, Watched>();
  #stopped = false;

  constructor(
    private readonly house: HouseClient,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  endpointsOf(service: string): readonly ProxiedEndpoint[] | Promise<readonly ProxiedEndpoint[]> {
    const nowMs = this.clock.nowMs();
    const watched = this.#watched.get(service) ?? this.#watch(service, nowMs);
    watched.usedMs = nowMs;
    return watched.known ?? this.#first(watched);
  }

  stop(): void {
    this.#stopped = true;
    for (const { cut } of this.#watched.values()) cut.abort();
  }

  async #first(watched: Watched): Promise<readonly ProxiedEndpoint[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, FIRST_MS)));
    await Promise.race([watched.first, late]);
    clearTimeout(timer);
    if (watched.known) return watched.known;
    throw new FleetError('SUBGRAPH_UNAVAILABLE', 'where agents are cannot be told now', {
      subgraph: 'agents',
      retryAfterMs: 1_000,
    });
  }

  #watch(service: string, nowMs: number): Watched {
    this.#forgetIdle(nowMs);
    if (this.#watched.size >= MOST_WATCHED) this.#forgetOne();
    let known = () => {};
    const first = new Promise<void>((resolve) => (known = resolve));
    const watched: Watched = { known: undefined, usedMs: nowMs, cut: new AbortController(), first };
    this.#watched.set(service, watched);
    void this.#follow(service, watched, known);
    return watched;
  }

  /** The one that was asked for least lately, before all one that nobody answers for: names made up must not keep out real ones. */
  #forgetOne(): void {
    const all = [...this.#watched].sort(([, one], [, other]) => one.usedMs - other.usedMs);
    const [service, { cut }] = (all.find(([, { known }]) => !known?.length) ?? all[0]) as [string, Watched];
    this.#watched.delete(service);
    cut.abort();
  }

  #forgetIdle(nowMs: number): void {
    for (const [service, { usedMs, cut }] of this.#watched) {
      if (nowMs - usedMs < IDLE_MS) continue;
      this.#watched.delete(service);
      cut.abort();
    }
  }

  /** Keeps what is known while the house is away. */
  async #follow(service: string, watched: Watched, told: () => void): Promise<void> {
    const { signal } = watched.cut;
    while (!this.#stopped && !signal.aborted) {
      try {
        for await (const found of this.#lists(service, signal)) {
          watched.known = usable(found);
          told();
        }
      } catch (error) {
        if (!signal.aborted) this.log.debug('agents.watch.waits', { service, error: messageOf(error) });
      }
      await new Promise<void>((resolve) => setTimeout(resolve, RETRY_MS).unref());
    }
  }

  async *#lists(service: string, signal: AbortSignal): AsyncGenerator<Found[]> {
    const target = `GET /discovery/endpoints?service=${encodeURIComponent(service)}&minHealth=0&watch=true`;
    const call = { principal: systemPrincipal('router'), requestId: this.clock.uuid() };
    const answer = await this.house.open(target, { call, signal });
    if (answer.statusCode !== 200) throw new Error(`the agents house answered ${answer.statusCode}`);
    const parser = new EventParser();
    answer.setEncoding('utf8');
    for await (const chunk of answer as AsyncIterable<string>) {
      for (const { data } of parser.push(chunk)) if (data) yield (JSON.parse(data) as { endpoints: Found[] }).endpoints;
    }
  }
}

/** One web address of each agent. */
function usable(found: readonly Found[]): ProxiedEndpoint[] {
  const chosen = new Map<string, Found>();
  for (const one of found) {
    if (!/^https?:/i.test(one.url)) continue;
    if (!chosen.has(one.agentId) || one.endpoint === PREFERRED) chosen.set(one.agentId, one);
  }
  return [...chosen.values()].map(({ agentId: id, agent: name, url, health }) => ({
    id,
    name,
    url,
    weight: Math.max(LEAST_HEALTH, health) / 100,
  }));
}
