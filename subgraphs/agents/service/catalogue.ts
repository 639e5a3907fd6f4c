import type { CursorSealer } from '../../../lib/cursor.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { Moments } from '../../../lib/events/moments.ts';
import type { ChangeSubscription, EventStream } from '../../../lib/events/stream.ts';
import { type Page, type PageArgs, pageOf, readPage } from '../../../lib/page.ts';
import type { Agent } from '../entity/agent.ts';
import type { AgentEvent } from '../entity/agent-event.ts';
import { AgentOrderField, Direction } from '../entity/enums.ts';
import type { Fleet } from '../entity/fleet.ts';
import type { AgentStore } from '../store/agents.ts';
import { type AgentList, type AgentSort, sortKeyOf } from '../store/list.ts';
import type { StoryStore } from '../store/story.ts';
import { matcherOf } from './criteria.ts';
import { type AgentFilterArgs, criteriaOf } from './filter.ts';
import type { LiveFleet } from './live.ts';
import type { Observer } from './observer.ts';

const MAX_ORDERS = 3;
/** What mere beats move. */
const BEATEN: ReadonlySet<AgentOrderField> = new Set([AgentOrderField.LAST_SEEN, AgentOrderField.HEALTH]);
/** The stream of agents. */
const STREAM = 'Agent';

/** Reads of the fleet: lists, numbers, stories, changes. */
export class Catalogue {
  constructor(
    private readonly agents: AgentStore,
    private readonly list: AgentList,
    private readonly story: StoryStore,
    private readonly live: LiveFleet,
    private readonly observer: Observer,
    private readonly cursors: CursorSealer,
    private readonly events: EventStream,
    private readonly moments: Moments,
  ) {}

  /**
   * A page of agents, by name unless ordered otherwise.
   * @throws BAD_INPUT, BAD_CURSOR
   */
  async page(args: PageArgs, filter: AgentFilterArgs, order: readonly AgentSort[]): Promise<Page<Agent>> {
    const sorts = order.length ? order : [{ field: AgentOrderField.NAME, direction: Direction.ASC }];
    if (sorts.length > MAX_ORDERS) {
      throw new FleetError('BAD_INPUT', `at most ${MAX_ORDERS} keys of order`, { field: ['orderBy'] });
    }
    const criteria = criteriaOf(filter);
    const name = `agents:${sorts.map(({ field, direction }) => `${field} ${direction}`).join()}`;
    const request = readPage(args, this.cursors, name);
    // The database is told of what beats move only now and then.
    const isMoved = criteria.maxHealth !== undefined || criteria.search || sorts.some(({ field }) => BEATEN.has(field));
    if (isMoved) await this.observer.catchUp();
    const { read, changeCursor } = await this.moments.asOf(STREAM, (tx) =>
      this.list.page(tx, criteria, sorts, request),
    );
    const page = pageOf(read, request, this.cursors, name, sortKeyOf(sorts));
    for (const agent of page.nodes) this.live.shown(agent);
    return {
      ...page,
      totalCount: () => this.list.count(criteria),
      changeCursor,
    };
  }

  /** One agent's story, newest first. */
  async timeline(agent: Agent, args: PageArgs): Promise<Page<AgentEvent>> {
    const name = `events:${agent.uuid}`;
    const request = readPage(args, this.cursors, name);
    const rows = await this.story.page(agent.uuid, request);
    return {
      ...pageOf(rows, request, this.cursors, name, ({ occurredAt, id }) => [occurredAt.getTime(), id]),
      totalCount: () => this.story.count(agent.uuid),
    };
  }

  async fleet(): Promise<Fleet> {
    const { health, ...counts } = await this.agents.counts();
    return {
      ...counts,
      total: counts.byState.reduce((sum, { count }) => sum + count, 0),
      health: health ?? 100,
    };
  }

  /** Changes of the agents that a filter names. */
  changes(filter: AgentFilterArgs, after: string | null | undefined): Promise<ChangeSubscription> {
    return this.events.subscribe({ type: STREAM, after, matches: matcherOf(criteriaOf(filter)) });
  }
}
