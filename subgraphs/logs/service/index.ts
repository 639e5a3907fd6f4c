import type { Clock } from '../../../lib/clock.ts';
import type { CursorSealer } from '../../../lib/cursor.ts';
import { type LogFilter, LogGroup } from '../../../lib/graphql/log-filter.ts';
import { durationMs } from '../../../lib/graphql/scalars.ts';
import { nodeId, readNodeId } from '../../../lib/node-id.ts';
import { type Page, type PageArgs, type PageRequest, pageOf, readPage } from '../../../lib/page.ts';
import type { Alert, LogBucket, LogEntry, LogScan } from '../entity/index.ts';
import {
  entryOf,
  type GroupColumn,
  type LogCriteria,
  type LogStore,
  nanosOf,
  type ReadPage,
  SEVERITIES,
  timeOfNanos,
} from '../store/index.ts';
import type { Analysis } from './analysis.ts';
import type { SearchCompletion } from './completion.ts';
import { criteriaOf, narrowed } from './filter.ts';
import { divide } from './histogram.ts';
import type { Ingest } from './ingest.ts';
import type { Retention } from './retention.ts';
import type { SavedSearches } from './saved-searches.ts';
import type { TailSubscription, Tails, Watermark } from './tail.ts';

const LIST = 'logs';
const GROUPED: Record<LogGroup, GroupColumn> = {
  [LogGroup.SEVERITY]: 'severity',
  [LogGroup.SERVICE]: 'service',
  [LogGroup.AGENT]: 'agent',
};

export interface LogServiceParts {
  store: LogStore;
  tails: Tails;
  ingest: Ingest;
  retention: Retention;
  analysis: Analysis;
  completion: SearchCompletion;
  searches: SavedSearches;
  mark: Watermark;
  cursors: CursorSealer;
  clock: Clock;
}

/** How a list of entries is asked for. */
export interface LogsAsked extends PageArgs {
  filter?: LogFilter | null | undefined;
}

/** A page of entries, and what was read for it. */
export interface LogPage extends Page<LogEntry> {
  scan: LogScan;
}

/** What a histogram is asked for. */
export interface HistogramAsked {
  filter?: LogFilter | null | undefined;
  step?: string | null | undefined;
  maxBuckets: number;
  groupBy?: LogGroup | null | undefined;
}

/** Log entries: taken in, searched, counted, followed and let go. */
export class LogService {
  readonly ingest: Ingest;
  readonly retention: Retention;
  readonly analysis: Analysis;
  readonly completion: SearchCompletion;
  readonly searches: SavedSearches;

  constructor(private readonly parts: LogServiceParts) {
    this.ingest = parts.ingest;
    this.retention = parts.retention;
    this.analysis = parts.analysis;
    this.completion = parts.completion;
    this.searches = parts.searches;
  }

  /** A page, newest first. */
  async logs(asked: LogsAsked): Promise<LogPage> {
    return await this.#page(asked, await this.#criteria(asked.filter));
  }

  /** A page of one agent's entries. @param agentId global */
  async ofAgent(agentId: string, asked: LogsAsked): Promise<LogPage> {
    const uuid = readNodeId(agentId)?.uuid ?? '-';
    return await this.#page(asked, narrowed(await this.#criteria(asked.filter), { agents: [uuid] }));
  }

  /** A page of a trace's entries. */
  ofTrace(traceId: string, first: number | null | undefined): Promise<LogPage> {
    return this.#page({ first }, { trace: traceId.toLowerCase() });
  }

  /** What was logged around an alert's beginning, by its agent if it has one. @param within ISO 8601, before and after */
  aroundAlert({ startedAt, agent }: Alert, within: string, first: number): Promise<LogPage> {
    const reachMs = durationMs(within) ?? 0;
    const around = {
      from: nanosOf(Math.max(0, startedAt.getTime() - reachMs)),
      to: nanosOf(startedAt.getTime() + reachMs),
      ...(agent ? { agents: [readNodeId(agent.id)?.uuid ?? '-'] } : {}),
    };
    return this.#page({ first }, around);
  }

  /**
   * What the same agent logged around an entry, or the same service where no agent did; newest first.
   * @param first how many, those next to it
   */
  async beside(entry: LogEntry, side: 'before' | 'after', first: number): Promise<LogPage> {
    const { time, stamp, seq } = entry.place;
    const { limit } = readPage({ first }, this.parts.cursors, LIST);
    const key = [time, stamp, seq];
    const request = side === 'before' ? { limit, backward: false, after: key } : { limit, backward: true, before: key };
    const stream = entry.agent ? { agents: [readNodeId(entry.agent.id)?.uuid ?? '-'] } : { services: [entry.service] };
    return await this.#read(request, stream);
  }

  /** Entries by uuid; null for what is not there. */
  async find(uuids: readonly string[]): Promise<(LogEntry | null)[]> {
    const rows = await this.parts.store.find(uuids);
    return rows.map((row) => row && entryOf(row));
  }

  /** Counts over time; without groups every bucket is there, also an empty one. */
  async histogram({ filter, step, maxBuckets, groupBy }: HistogramAsked): Promise<LogBucket[]> {
    const { store } = this.parts;
    const criteria = await this.#criteria(filter);
    const span = await this.#span(criteria);
    if (!span) {
      divide(0, 0, maxBuckets, step);
      return [];
    }
    const { stepMs, first, last } = divide(span.fromMs, span.toMs, maxBuckets, step);
    const counted = await store.histogram(criteria, stepMs, groupBy ? GROUPED[groupBy] : undefined);
    const time = (bucket: number) => new Date(bucket * stepMs);
    if (groupBy) {
      return counted.map(({ bucket, group, count }) => ({
        time: time(bucket),
        group: groupName(groupBy, group),
        count,
      }));
    }
    const counts = new Map(counted.map(({ bucket, count }) => [bucket, count]));
    const buckets = Array.from({ length: last - first + 1 }, (_, at) => first + at);
    return buckets.map((bucket) => ({ time: time(bucket), group: null, count: counts.get(bucket) ?? 0 }));
  }

  /** Follows new entries. A range that ends now says nothing about what is to come, and is left out. */
  async follow(filter: LogFilter | null | undefined, after: string | null | undefined): Promise<TailSubscription> {
    const criteria = await this.#criteria(filter);
    const { from: _from, to: _to, ...lasting } = criteria;
    return await this.parts.tails.follow(filter?.range?.last ? lasting : criteria, after);
  }

  async #criteria(filter: LogFilter | null | undefined): Promise<LogCriteria> {
    return criteriaOf(await this.searches.expanded(filter), this.parts.clock.nowMs());
  }

  #page(args: PageArgs, criteria: LogCriteria): Promise<LogPage> {
    return this.#read(readPage(args, this.parts.cursors, LIST), criteria);
  }

  async #read(request: PageRequest, criteria: LogCriteria): Promise<LogPage> {
    const { store, cursors, tails, mark } = this.parts;
    const { watermark } = mark;
    const read = await store.page(criteria, request, watermark);
    const page = pageOf(read.rows, request, cursors, LIST, ({ time, stamp, seq }) => [time, stamp, seq]);
    const nodes = page.nodes.map(entryOf);
    return {
      ...page,
      edges: page.edges.map(({ cursor }, at) => ({ cursor, node: nodes[at] as LogEntry })),
      nodes,
      totalCount: () => store.count(criteria, watermark),
      changeCursor: tails.cursor(watermark),
      scan: scanOf(read, criteria),
    };
  }

  /** The stretch that a histogram is over: as asked, else of what matches. */
  async #span(criteria: LogCriteria): Promise<{ fromMs: number; toMs: number } | undefined> {
    const { from, to } = criteria;
    if (from !== undefined && to !== undefined)
      return BigInt(from) < BigInt(to) ? { fromMs: ms(from), toMs: ms(to) } : undefined;
    const span = await this.parts.store.span(criteria);
    // The last entry lies inside: the end is exclusive.
    return span && { fromMs: ms(from ?? span.first), toMs: to === undefined ? Math.floor(ms(span.last)) + 1 : ms(to) };
  }
}

function scanOf({ read, indexes }: ReadPage, { from, to }: LogCriteria): LogScan {
  const [begin, end] = [from, to].map((nanos) => (nanos === undefined ? null : timeOfNanos(nanos)));
  return { ...read, from: begin ?? null, to: end ?? null, indexes, isExact: true };
}

function ms(nanos: string): number {
  return Number(BigInt(nanos) / 1_000_000n);
}

function groupName(groupBy: LogGroup, group: string): string | null {
  if (groupBy === LogGroup.SEVERITY) return SEVERITIES[Number(group)] ?? null;
  if (groupBy === LogGroup.AGENT) return group ? nodeId('Agent', group) : null;
  return group;
}
