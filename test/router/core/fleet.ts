import { buildSubgraphSchema } from '@apollo/subgraph';
import { type GraphQLSchema, graphql, parse } from 'graphql';
import { FleetError } from '../../../lib/errors.ts';
import { composeSupergraph } from '../../../router/compose.ts';
import type { GraphAnswer, StreamItem, SubgraphCaller } from '../../../router/engine.ts';

/** A small fleet: agents, their alerts, and a third subgraph that only knows ids. */
export const FLEET_LINK = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@inaccessible", "@composeDirective", "@tag"])
  @link(url: "https://fleetgraph.dev/access/v1.0", import: ["@access"])
  @composeDirective(name: "@access")
directive @access(scopes: [String!]!) on FIELD_DEFINITION | OBJECT
`;
const VIEWER = '@access(scopes: ["viewer", "agent"])';
const ADMIN = '@access(scopes: ["admin"])';

const SDL: Record<string, string> = {
  agents: `
    interface Node { id: ID! }
    enum State { RUNNING SECRET @inaccessible }
    type Agent implements Node @key(fields: "id") {
      id: ID! ${VIEWER} name: String ${VIEWER} token: String ${ADMIN} state: State ${VIEWER} hidden: String @inaccessible unruled: String
    }
    type Query { agent(id: ID!): Agent ${VIEWER} agents: [Agent!] ${VIEWER} }
    type Mutation { retire(id: ID!): Agent ${ADMIN} }`,
  alerts: `
    interface Node { id: ID! }
    type Agent @key(fields: "id") { id: ID! ${VIEWER} alerts: [Alert!] ${VIEWER} }
    type Alert implements Node @key(fields: "id") { id: ID! ${VIEWER} title: String! ${VIEWER} agent: Agent ${VIEWER} }
    type Receipt implements Node @key(fields: "id") { id: ID! ${ADMIN} }
    type AlertChanged { cursor: String! ${VIEWER} node: Alert ${VIEWER} }
    type Query { alerts: [Alert!] ${VIEWER} }
    type Subscription { alertChanged(after: String): AlertChanged ${VIEWER} receipts: Receipt ${ADMIN} }`,
  router: `
    interface Node { id: ID! }
    type Agent implements Node @key(fields: "id", resolvable: false) { id: ID! ${VIEWER} }
    type Alert implements Node @key(fields: "id", resolvable: false) { id: ID! ${VIEWER} }
    type Receipt implements Node @key(fields: "id", resolvable: false) { id: ID! ${ADMIN} }
    type Query { node(id: ID!): Node ${VIEWER} }`,
};

const typed = (id: string) => ({ a: 'Agent', l: 'Alert', r: 'Receipt' })[id[0] as string];
const agent = (id: string) => ({
  __typename: 'Agent',
  id,
  name: `agent ${id}`,
  token: 'secret',
  state: 'RUNNING',
  unruled: 'open?',
});
const alert = (id: string) => ({
  __typename: 'Alert',
  id,
  title: `alert ${id}`,
  agent: { __typename: 'Agent', id: `a${id.slice(1)}` },
});
const RESOLVERS: Record<string, object> = {
  agents: {
    Agent: { __resolveReference: ({ id }: { id: string }) => agent(id) },
    Query: {
      agent: (_: unknown, { id }: { id: string }) => (id === 'a9' ? { ...agent(id), state: 'SECRET' } : agent(id)),
      agents: () => [agent('a1'), agent('a2')],
    },
    Mutation: { retire: (_: unknown, { id }: { id: string }) => agent(id) },
  },
  alerts: {
    Agent: { __resolveReference: ({ id }: { id: string }) => ({ id, alerts: [alert(`l${id.slice(1)}`)] }) },
    Alert: { __resolveReference: ({ id }: { id: string }) => alert(id) },
    Receipt: { __resolveReference: ({ id }: { id: string }) => ({ id }) },
    Query: { alerts: () => [alert('l1'), alert('l2')] },
  },
  router: {
    Node: { __resolveType: ({ id }: { id: string }) => typed(id) },
    Query: { node: (_: unknown, { id }: { id: string }) => (typed(id) ? { __typename: typed(id), id } : null) },
  },
};

const schemas: Record<string, GraphQLSchema> = Object.fromEntries(
  Object.entries(SDL).map(([name, sdl]) => [
    name,
    buildSubgraphSchema({ typeDefs: parse(FLEET_LINK + sdl), resolvers: RESOLVERS[name] as never }),
  ]),
);

export const fleetSupergraph = composeSupergraph(
  Object.entries(SDL).map(([name, sdl]) => ({ name, url: `http://127.0.0.1:4000/${name}`, sdl: FLEET_LINK + sdl })),
);

/** What a subgraph does instead of answering. */
export type Misbehaviour = (request: {
  query: string;
  variables?: Record<string, unknown>;
}) => GraphAnswer | Promise<GraphAnswer>;

export const away =
  (subgraph: string): Misbehaviour =>
  () => {
    throw new FleetError('SUBGRAPH_UNAVAILABLE', `${subgraph} cannot be reached`, { subgraph, retryAfterMs: 250 });
  };

/** The fleet's subgraphs; each can be made to misbehave, and streams come from a source of the test's own. */
export class Fleet implements SubgraphCaller {
  readonly asked: { subgraph: string; query: string; variables: Record<string, unknown> }[] = [];
  misbehaving: Record<string, Misbehaviour> = {};
  /** Opens one upstream; `after` is the cursor it is asked to resume after. */
  stream: (after: string | undefined, signal: AbortSignal) => AsyncIterable<StreamItem> = () => {
    throw new Error('no stream here');
  };

  async execute(
    subgraph: string,
    request: { query: string; variables?: Record<string, unknown> },
  ): Promise<GraphAnswer> {
    const { query, variables = {} } = request;
    this.asked.push({ subgraph, query, variables });
    const misbehaviour = this.misbehaving[subgraph];
    if (misbehaviour) return misbehaviour(request);
    const schema = schemas[subgraph] as GraphQLSchema;
    return JSON.parse(JSON.stringify(await graphql({ schema, source: query, variableValues: variables })));
  }

  subscribe(...[, , call, signal]: Parameters<SubgraphCaller['subscribe']>): AsyncIterable<StreamItem> {
    return this.stream(call.lastEventId, signal);
  }
}

/** One event as the alerts subgraph would send it. */
export function alertEvent(number: number): StreamItem {
  const node = { title: `alert ${number}`, agent: { __typename: 'Agent', id: `a${number}` } };
  return { id: `c${number}`, answer: { data: { alertChanged: { cursor: `c${number}`, node } } } };
}
