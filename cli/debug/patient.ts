import { type FleetClient, FleetFailure, type GraphQLFault } from '../../sdk/index.ts';
import type { LogLine } from '../output/log-line.ts';
import { nearNames } from '../output/near-names.ts';

export const ENTRY = 'id time severity service body attributes traceId spanId agent { id name }';
export const EVENT = 'id occurredAt name detail actor { name }';
const AGENT = `query DebugAgent($name: String!) {
  agent(name: $name) {
    id name kind version desiredVersion state desiredState presence lastSeenAt restarts
    config configVersion observedConfigVersion drift { since toldAt }
    health { score grade penalties { factor reason points evidence } }
    rootCause { name state }
    events(first: 10) { nodes { ${EVENT} } }
  }
}`;
/** Apart from the rest: it takes the scope operator. */
const MAILBOX =
  'query DebugAgent($id: ID!) { agent(id: $id) { pendingCommands { id name arguments issuedAt issuedBy { name } } } }';
const ERRORS = `query DebugAgent($filter: LogFilter) {
  errorGroups(first: 5, filter: $filter) { nodes { id state message place code count lastSeenAt trace { traceId } } }
}`;
const LOGS = `query DebugAgent($filter: LogFilter) { logs(first: 10, filter: $filter) { changeCursor nodes { ${ENTRY} } } }`;
const NAMES =
  'query AgentNames($after: String) { agents(first: 100, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } }';
const MOST_PAGES = 10;

export interface StoryLine {
  id: string;
  occurredAt: string;
  name: string;
  detail: unknown;
  actor: { name: string };
}

export interface Patient {
  id: string;
  name: string;
  kind: string;
  version: string;
  desiredVersion: string | null;
  state: string;
  desiredState: string;
  presence: string;
  lastSeenAt: string | null;
  restarts: number;
  config: unknown;
  configVersion: number;
  observedConfigVersion: number | null;
  drift: { since: string; toldAt: string } | null;
  health: {
    score: number;
    grade: string;
    penalties: { factor: string | null; reason: string; points: number; evidence: string }[];
  };
  rootCause: { name: string; state: string } | null;
  events: { nodes: StoryLine[] };
}

export interface Mail {
  id: string;
  name: string;
  arguments: unknown;
  issuedAt: string;
  issuedBy: { name: string };
}

export interface ErrorRow {
  id: string;
  state: string;
  message: string;
  place: string;
  code: string | null;
  count: number;
  lastSeenAt: string;
  trace: { traceId: string } | null;
}

/** All that is known of an agent at one time. What could not be asked is null. */
export interface Examination {
  agent: Patient;
  mailbox: Mail[] | null;
  errors: ErrorRow[] | null;
  logs: LogLine[] | null;
  /** Where the live log goes on behind these. */
  cursor: string | undefined;
}

/**
 * Asks for all that is known of an agent. @param missing told which parts could not be had
 * @throws FleetFailure NOT_FOUND with the names that are near
 */
export async function examine(
  client: FleetClient,
  name: string,
  missing: (errors: readonly GraphQLFault[]) => void,
): Promise<Examination> {
  const { data, errors: faults = [] } = await client.ask<{ agent: Patient | null }>(AGENT, { name });
  const agent = data?.agent;
  if (!agent && !faults.length) throw new FleetFailure('NOT_FOUND', await unknown(client, name));
  if (!agent) throw FleetFailure.ofFaults([...faults]);
  missing(faults);
  const part = async <Data>(query: string, variables: object): Promise<Data | undefined> => {
    const answer = await client.ask<Data>(query, variables).catch((error: unknown) => {
      if (!(error instanceof FleetFailure)) throw error;
      missing([{ message: error.message, extensions: { code: error.code } }]);
      return undefined;
    });
    missing(answer?.errors ?? []);
    return answer?.data ?? undefined;
  };
  const filter = { agentIds: [agent.id] };
  const [mail, failed, said] = await Promise.all([
    part<{ agent: { pendingCommands: Mail[] | null } | null }>(MAILBOX, { id: agent.id }),
    part<{ errorGroups: { nodes: ErrorRow[] } | null }>(ERRORS, { filter: { ...filter, range: { last: 'P1D' } } }),
    part<{ logs: { changeCursor: string; nodes: LogLine[] } | null }>(LOGS, { filter }),
  ]);
  return {
    agent,
    mailbox: mail?.agent?.pendingCommands ?? null,
    errors: failed?.errorGroups?.nodes ?? null,
    logs: said?.logs ? [...said.logs.nodes].reverse() : null,
    cursor: said?.logs?.changeCursor,
  };
}

async function unknown(client: FleetClient, name: string): Promise<string> {
  const names: string[] = [];
  for (let page = 0, after: string | null = null; page < MOST_PAGES; page += 1) {
    const { agents }: NamesPage = await client.query<NamesPage>(NAMES, { after });
    names.push(...(agents?.nodes ?? []).map((each) => each.name));
    after = agents?.pageInfo.hasNextPage ? agents.pageInfo.endCursor : null;
    if (after === null) break;
  }
  const near = nearNames(name, names);
  return `there is no agent ${name}${near.length ? `; did you mean ${near.join(', ')}?` : ''}`;
}

interface NamesPage {
  agents: { nodes: { name: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } | null;
}
