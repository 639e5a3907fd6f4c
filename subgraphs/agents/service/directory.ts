import { FleetError, messageOf } from '../../../lib/errors.ts';
import type { Moments } from '../../../lib/events/moments.ts';
import type { ChangeSubscription, EventStream, StreamedChange } from '../../../lib/events/stream.ts';
import type { Log } from '../../../lib/log.ts';
import { Worker } from '../../../lib/worker.ts';
import { type Agent, agentOf } from '../entity/agent.ts';
import type { AgentStore } from '../store/agents.ts';
import { type EndpointQuery, endpointsOf, type FoundEndpoint, isAsked, type Listed } from './endpoint-query.ts';

const STREAM = 'Agent';
const RESUME_MS = 500;
const MOST_WATCHES = 2_000;
/** Endpoints in one answer. */
const MOST_FOUND = 10_000;

interface Watch {
  query: EndpointQuery;
  changed: () => void;
}

/** Where agents answer: read once, then kept up by the change stream, so that it knows what any process of this house wrote. */
export class Directory {
  readonly #listed = new Map<string, Listed>();
  readonly #watches = new Set<Watch>();
  readonly #worker: Worker;
  #changes: ChangeSubscription | undefined;
  #stopped = false;
  #isRead = false;
  #index: number;

  /** @param firstIndex counts go on from there: rising also over restarts, as long as it does */
  constructor(
    private readonly agents: AgentStore,
    private readonly moments: Moments,
    private readonly events: EventStream,
    log: Log,
    firstIndex: number,
  ) {
    this.#index = firstIndex;
    this.#worker = new Worker(
      () => this.#follow().then(() => false),
      RESUME_MS,
      (error) => log.warn('directory.reads.anew', { error: messageOf(error) }),
    );
  }

  start(): void {
    this.#worker.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#changes?.return?.();
    await this.#worker.stop();
  }

  /** Rises with every change. */
  get index(): number {
    return this.#index;
  }

  /**
   * The endpoints asked for, by agent and name.
   * @throws OVERLOADED before the directory was read, BAD_INPUT for more than 10,000
   */
  find(query: EndpointQuery): FoundEndpoint[] {
    if (!this.#isRead) throw new FleetError('OVERLOADED', 'the directory is being read', { retryAfterMs: RESUME_MS });
    const found: FoundEndpoint[] = [];
    for (const agent of this.#listed.values()) {
      if (isAsked(query, agent)) found.push(...endpointsOf(query, agent));
    }
    if (found.length > MOST_FOUND) {
      throw new FleetError('BAD_INPUT', `more than ${MOST_FOUND} endpoints: ask for fewer by kind, name or label`);
    }
    return found.sort((a, b) => order(a.agent, b.agent) || order(a.endpoint, b.endpoint));
  }

  /**
   * Tells of each change of what a query finds.
   * @returns ends it
   * @throws OVERLOADED when too many watch
   */
  watch(query: EndpointQuery, changed: () => void): () => void {
    if (this.#watches.size >= MOST_WATCHES) {
      throw new FleetError('OVERLOADED', 'too many watch the directory', { retryAfterMs: 5_000 });
    }
    const watch = { query, changed };
    this.#watches.add(watch);
    return () => this.#watches.delete(watch);
  }

  /** Reads all, then takes changes until the stream ends; the next round begins anew. */
  async #follow(): Promise<void> {
    const { read, changeCursor } = await this.moments.asOf(STREAM, (tx) => this.agents.reachable(tx));
    this.#changes = await this.events.subscribe({ type: STREAM, after: changeCursor });
    // Ended while that was asked: nobody would end this stream.
    if (this.#stopped) return;
    this.#listed.clear();
    for (const agent of read) this.#listed.set(agent.uuid, listedOf(agent));
    this.#isRead = true;
    this.#index += 1;
    for (const { changed } of this.#watches) changed();
    for await (const change of this.#changes) {
      if (this.#stopped) return;
      this.#take(change);
    }
  }

  #take({ kind, entityId, node }: StreamedChange): void {
    const was = this.#listed.get(entityId);
    const agent = agentOf(node);
    const is = kind !== 'DELETED' && agent.endpoints.length > 0 ? listedOf(agent) : undefined;
    if (is) this.#listed.set(entityId, is);
    else this.#listed.delete(entityId);
    if (!was && !is) return;
    this.#index += 1;
    for (const { query, changed } of this.#watches) {
      if ((was && isAsked(query, was)) || (is && isAsked(query, is))) changed();
    }
  }
}

function listedOf(agent: Agent): Listed {
  const {
    uuid,
    id,
    name,
    kind,
    version,
    labels,
    capabilities,
    endpoints,
    state,
    presence,
    healthScore: health,
  } = agent;
  return { uuid, id, name, kind, version, labels, capabilities, endpoints, state, presence, health };
}

const order = (one: string, other: string): number => (one < other ? -1 : Number(one > other));
