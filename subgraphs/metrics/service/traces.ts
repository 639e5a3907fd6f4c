import type { Clock } from '../../../lib/clock.ts';
import type { CursorSealer } from '../../../lib/cursor.ts';
import { FleetError } from '../../../lib/errors.ts';
import { type Page, type PageArgs, pageOf, readPage } from '../../../lib/page.ts';
import { parseSearch } from '../../../lib/search/index.ts';
import { Trace, type TraceFilter } from '../entity/trace.ts';
import type { Condition } from '../store/matchers.ts';
import { SPAN_FIELDS, searching } from '../store/span-search.ts';
import type { ListedTrace, TraceQuery, TraceStore } from '../store/traces.ts';
import { stretchOf } from './range.ts';

const LIST = 'traces';
const MAX_NAMED = 100;
/** What may begin ahead of our clock is listed too. */
const AHEAD_MS = 600_000;
const TRACE_ID = /^[0-9a-f]{32}$/;

/** Finds traces. */
export class TraceService {
  constructor(
    private readonly traces: TraceStore,
    private readonly cursors: CursorSealer,
    private readonly clock: Clock,
  ) {}

  /** Traces, newest first. @param agentId only those that this agent took part in */
  async list(args: PageArgs, filter: TraceFilter | null | undefined, agentId?: string): Promise<Page<Trace>> {
    const request = readPage(args, this.cursors, LIST);
    const query = this.#query(filter ?? {}, agentId);
    const [startNs, traceId] = (request.after ?? []) as string[];
    const after = startNs && traceId ? { startNs, traceId } : null;
    const rows = await this.traces.page(query, after, request.limit + 1);
    const keyOf = ({ startNs, traceId }: ListedTrace) => [startNs, traceId];
    const page = pageOf(rows, request, this.cursors, LIST, keyOf);
    const nodes = page.nodes.map(({ traceId, summary }) => Trace.of(traceId, summary));
    return {
      nodes,
      edges: page.edges.map(({ cursor }, at) => ({ cursor, node: nodes[at] as Trace })),
      pageInfo: page.pageInfo,
      totalCount: () => this.traces.count(query),
    };
  }

  #query(filter: TraceFilter, agentId: string | undefined): TraceQuery {
    const { services, agentIds, minDurationMs = null, errors = null, range, query } = filter;
    const nowMs = this.clock.nowMs();
    const { fromMs, toMs } = stretchOf(range, nowMs, ['filter', 'range']);
    const spans: Condition[] = [];
    if (services)
      spans.push({ sql: 'service in {services:Array(String)}', params: { services: named(services, 'services') } });
    if (agentIds)
      spans.push({ sql: 'agent_id in {agentIds:Array(String)}', params: { agentIds: named(agentIds, 'agentIds') } });
    if (agentId) spans.push({ sql: 'agent_id = {agentId:String}', params: { agentId } });
    const search = query ? parseSearch(query, SPAN_FIELDS) : null;
    if (search) spans.push(searching(search));
    return {
      spans,
      minDurationMs,
      errors,
      fromNs: nanosOf(Math.max(0, fromMs ?? 0)),
      toNs: nanosOf(toMs ?? nowMs + AHEAD_MS),
    };
  }
}

/** The id as it is stored. @throws BAD_INPUT when it cannot be one */
export function traceIdOf(text: string): string {
  const id = text.toLowerCase();
  if (!TRACE_ID.test(id))
    throw new FleetError('BAD_INPUT', 'a trace id has 32 hexadecimal digits', { field: ['traceId'] });
  return id;
}

function named(names: readonly string[], field: string): readonly string[] {
  if (names.length <= MAX_NAMED) return names;
  throw new FleetError('BAD_INPUT', `\`${field}\` has at most ${MAX_NAMED} items`, { field: ['filter', field] });
}

function nanosOf(ms: number): string {
  return String(BigInt(Math.floor(ms)) * 1_000_000n);
}
