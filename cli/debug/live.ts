import { type FleetClient, FleetFailure } from '../../sdk/index.ts';
import type { LogLine } from '../output/log-line.ts';
import type { ShownSpan } from '../output/waterfall.ts';
import { ENTRY, EVENT, type Examination, type StoryLine } from './patient.ts';

const TAIL = `subscription DebugLog($filter: LogFilter, $after: String) { logTail(filter: $filter, after: $after) { cursor missed entries { ${ENTRY} } } }`;
const CHANGES = `subscription DebugAgent($filter: AgentFilter, $after: String) { agentChanged(filter: $filter, after: $after) {
  cursor occurredAt kind node { state desiredState presence version configVersion observedConfigVersion health { score grade } } } }`;
const WORK = `query DebugLive($id: ID!, $range: TimeRange!) { agent(id: $id) {
  events(first: 20) { nodes { ${EVENT} } }
  traces(first: 10, filter: { range: $range }) { nodes { traceId spans { spanId parentSpanId name service startedAt durationMs error agent { id } } } }
} }`;

const EVERY_MS = 2_000;
/** Spans come when they have ended: a long one began long before. */
const RANGE = { last: 'PT5M' };
/** Ids that are remembered, so that nothing is told twice. */
const MOST_KNOWN = 5_000;

export interface AgentChange {
  occurredAt: string;
  kind: string;
  node: {
    state: string;
    desiredState: string;
    presence: string;
    version: string;
    configVersion: number;
    observedConfigVersion: number | null;
    health: { score: number; grade: string };
  };
}

export type LiveSpan = ShownSpan & { traceId: string };

/** What happens to an agent from now on. */
export type Live =
  | { live: 'log'; entry: LogLine }
  | { live: 'missed'; lines: number }
  | { live: 'change'; change: AgentChange }
  | { live: 'story'; line: StoryLine }
  | { live: 'span'; span: LiveSpan }
  | { live: 'away'; reason: string }
  | { live: 'back' };

interface Work {
  agent: {
    events: { nodes: StoryLine[] };
    traces: { nodes: { traceId: string; spans: (ShownSpan & { agent: { id: string } | null })[] }[] } | null;
  } | null;
}

/** Remembers so many of what was told, the newest. */
export class Known {
  readonly #ids = new Set<string>();

  constructor(private readonly most: number) {}

  /** Whether an id is new; it is known from now on. */
  isNew(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > this.most) this.#ids.delete(this.#ids.values().next().value as string);
    return true;
  }
}

/** Follows an agent until the signal; goes on after a restart of the platform where it was. */
export async function follow(
  client: FleetClient,
  { agent, cursor }: Examination,
  tell: (live: Live) => void,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const end = () => over.abort();
  signal.addEventListener('abort', end);
  const options = { signal: over.signal };
  const tail = async () => {
    const filter = { agentIds: [agent.id] };
    type Tail = { logTail: { missed: number; entries: LogLine[] } | null };
    const answers = client.subscribe<Tail>(TAIL, { filter }, { ...options, ...(cursor ? { after: cursor } : {}) });
    for await (const { data } of answers) {
      if (data?.logTail?.missed) tell({ live: 'missed', lines: data.logTail.missed });
      for (const entry of data?.logTail?.entries ?? []) tell({ live: 'log', entry });
    }
  };
  const changes = async () => {
    const answers = client.subscribe<{ agentChanged: AgentChange | null }>(
      CHANGES,
      { filter: { ids: [agent.id] } },
      options,
    );
    for await (const { data } of answers) if (data?.agentChanged) tell({ live: 'change', change: data.agentChanged });
  };
  try {
    // One that ends for good ends the others.
    await Promise.race([tail(), changes(), poll(client, agent, tell, over.signal)]);
  } finally {
    end();
    signal.removeEventListener('abort', end);
  }
}

/** Asks again and again for what no stream tells: the agent's story, mail among it, and its spans. */
async function poll(
  client: FleetClient,
  agent: Examination['agent'],
  tell: (live: Live) => void,
  signal: AbortSignal,
): Promise<void> {
  const known = new Known(MOST_KNOWN);
  for (const { id } of agent.events.nodes) known.isNew(id);
  let isFirst = true;
  let isAway = false;
  while (!signal.aborted) {
    try {
      const { data } = await client.ask<Work>(WORK, { id: agent.id, range: RANGE });
      if (signal.aborted) return;
      if (isAway) tell({ live: 'back' });
      isAway = false;
      for (const line of [...(data?.agent?.events.nodes ?? [])].reverse())
        if (known.isNew(line.id)) tell({ live: 'story', line });
      for (const span of spansOf(data, agent.id)) {
        // What was done before is not live.
        if (known.isNew(span.spanId) && !isFirst) tell({ live: 'span', span });
      }
      isFirst = false;
    } catch (error) {
      if (!(error instanceof FleetFailure) || !error.retryable) throw error;
      if (!isAway) tell({ live: 'away', reason: error.message });
      isAway = true;
    }
    await client.surroundings.sleep(EVERY_MS, signal);
  }
}

/** The agent's own spans, those that began first before the others. */
function spansOf(data: Work | null | undefined, id: string): LiveSpan[] {
  const traces = [...(data?.agent?.traces?.nodes ?? [])].reverse();
  return traces.flatMap(({ traceId, spans }) =>
    spans.filter(({ agent }) => agent?.id === id).map(({ agent: _, ...span }) => ({ ...span, traceId })),
  );
}
