import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { ROUTES } from '../../../cli/platform/router.ts';
import { HouseClient } from '../../../lib/call/house-client.ts';
import { type Call, deriveKey } from '../../../lib/call/signing.ts';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { nodeId } from '../../../lib/node-id.ts';
import { type Served, serveHouse } from '../../../lib/serve/house.ts';
import type { HouseRouteRequest, Subgraph } from '../../../lib/subgraph.ts';
import type { EntryDraft } from '../../../lib/write/entry.ts';
import { composeSupergraph } from '../../../router/compose.ts';
import { ownSubgraphSdl } from '../../../router/own/sdl.ts';
import { type RouterOptions, type ServedRouter, serveRouter } from '../../../router/server.ts';
import type { Answer } from '../../support/house.ts';

export const SECRET = 'a secret of tests, thirty-two characters or more';
export const ADMIN_TOKEN = 'admin-token-of-the-tests';

/** Text as a query would have it. */
const LINK = `extend schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@composeDirective"])
  @link(url: "https://fleetgraph.dev/access/v1.0", import: ["@access"])
  @composeDirective(name: "@access")
directive @access(scopes: [String!]!) on FIELD_DEFINITION | OBJECT
interface Node { id: ID! }`;

const SHIPS = `${LINK}
type Query { ship(id: ID!): Ship @access(scopes: ["viewer"]) slow: String @access(scopes: ["viewer"]) broken: String @access(scopes: ["viewer"]) secret: String @access(scopes: ["auditor"]) }
type Mutation { sail(to: String!): String @access(scopes: ["operator"]) }
type Subscription { shipMoved(after: String, filler: Int): Move @access(scopes: ["viewer"]) }
type Move { cursor: String! @access(scopes: ["viewer"]) node: Ship @access(scopes: ["viewer"]) filler: String @access(scopes: ["viewer"]) }
type Ship implements Node @key(fields: "id") { id: ID! @access(scopes: ["viewer"]) name: String @access(scopes: ["viewer"]) }`;

const CREWS = `${LINK}
type Query { crews: Int @access(scopes: ["viewer"]) }
type Ship implements Node @key(fields: "id") { id: ID! @access(scopes: ["viewer"]) crew: Int @access(scopes: ["viewer"]) }
type AuditEntry implements Node @key(fields: "id") { id: ID! @access(scopes: ["viewer"]) action: String @access(scopes: ["viewer"]) }
type Actor @shareable { id: ID! name: String! }`.replace(/type Actor[^\n]*/, '');

/** What a house of telemetry takes. */
const INGESTED = [...Object.keys(ROUTES), 'POST /api/v1/write'];

export const SHIP = nodeId('Ship', '01890000-0000-7000-8000-000000000001');
export const NO_SHIP = nodeId('Ship', '01890000-0000-7000-8000-000000000009');

/** What the two houses of a test do, to be changed while they run. */
export interface Sea {
  /** Calls that reached the ships, as they were signed. */
  calls: Call[];
  /** Holds back answers to `slow`. */
  gate: Promise<void>;
  /** Pushes one payload to every subscriber, each with the next cursor. */
  move(filler?: string): void;
  /** Subscriptions that the ships have. */
  running: number;
  /** Tokens → principals. */
  tokens: Map<string, object>;
  /** Answers to the credentials question; false stands for a house that is away. */
  credentials: boolean;
  asked: number;
  /** Whether the crews say they are ready. */
  isAwake: boolean;
  /** Entries that came to the audit house; false refuses them. */
  entries: EntryDraft[];
  audits: boolean;
  /** Takes entries, and fails before it says so. */
  cutsAudits: boolean;
  ingested: HouseRouteRequest[];
  ingestAnswer: { status: number; headers?: Record<string, string>; body: string };
}

function seaOf(): Sea & { subscribers: Set<() => void>; moves: { cursor: string; filler: string }[] } {
  const subscribers = new Set<() => void>();
  const moves: { cursor: string; filler: string }[] = [];
  return {
    calls: [],
    gate: Promise.resolve(),
    subscribers,
    moves,
    running: 0,
    move(filler = '') {
      moves.push({ cursor: `c${moves.length + 1}`, filler });
      for (const wake of subscribers) wake();
    },
    tokens: new Map(),
    credentials: true,
    asked: 0,
    isAwake: true,
    entries: [],
    audits: true,
    cutsAudits: false,
    ingested: [],
    ingestAnswer: { status: 200, body: '{}' },
  };
}

type RunningSea = ReturnType<typeof seaOf>;

function movesFrom(sea: RunningSea, after: string | null | undefined) {
  let at = after == null ? sea.moves.length : Number(after.slice(1));
  let isDone = false;
  let wake = () => {};
  sea.running += 1;
  const end = () => {
    if (!isDone) sea.running -= 1;
    isDone = true;
    wake();
    return Promise.resolve({ value: undefined, done: true as const });
  };
  const iterator = {
    async next() {
      while (!isDone && at >= sea.moves.length) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          sea.subscribers.add(resolve);
        });
        sea.subscribers.delete(wake);
      }
      if (isDone) return { value: undefined, done: true as const };
      const move = sea.moves[at++];
      return { value: move, done: false as const };
    },
    return: end,
    throw: end,
    bookmark: () => `c${at}`,
    [Symbol.asyncIterator]() {
      return iterator;
    },
  };
  return iterator;
}

function shipsHouse(sea: RunningSea): Subgraph {
  const schema = buildSubgraphSchema({
    typeDefs: parse(SHIPS),
    resolvers: {
      Query: {
        ship: (_: unknown, { id }: { id: string }) => (id === SHIP ? { id, name: 'Argo' } : null),
        slow: () => sea.gate.then(() => 'at last'),
        broken: () => {
          throw new Error('a bug at 10.0.0.1');
        },
        secret: () => 'treasure',
      },
      Mutation: { sail: (_: unknown, { to }: { to: string }) => `sailing to ${to}` },
      Subscription: {
        shipMoved: {
          subscribe: (_: unknown, { after }: { after?: string }, { call }: { call: Call }) =>
            movesFrom(sea, call.lastEventId ?? after),
          resolve: (move: { cursor: string; filler: string }) => ({ ...move, node: { id: SHIP, name: 'Argo' } }),
        },
      },
      Ship: {
        __resolveReference: ({ id }: { id: string }) => (id === SHIP ? { id, name: 'Argo' } : null),
      },
    } as never,
  });
  return {
    name: 'ships',
    schema,
    context(call) {
      sea.calls.push(call);
      return { call };
    },
    routes: {
      'POST /internal/credentials': async ({ body }) => {
        sea.asked += 1;
        if (!sea.credentials) return { status: 503, body: '{}' };
        const { token, tokens } = JSON.parse(body.toString());
        if (tokens) {
          const principals = tokens.map((each: string) => sea.tokens.get(each) ?? null);
          return { status: 200, body: JSON.stringify({ principals }) };
        }
        const principal = sea.tokens.get(token);
        return principal ? { status: 200, body: JSON.stringify({ principal }) } : { status: 404, body: '{}' };
      },
      ...Object.fromEntries(
        INGESTED.map((route) => [
          route,
          async (request: HouseRouteRequest) => {
            sea.ingested.push(request);
            return sea.ingestAnswer;
          },
        ]),
      ),
    },
  };
}

function crewsHouse(sea: RunningSea): Subgraph {
  const schema = buildSubgraphSchema({
    typeDefs: parse(CREWS),
    resolvers: {
      Query: { crews: () => 1 },
      Ship: { __resolveReference: ({ id }: { id: string }) => ({ id, crew: 50 }) },
      AuditEntry: { __resolveReference: ({ id }: { id: string }) => ({ id, action: 'known' }) },
    } as never,
  });
  return {
    name: 'crews',
    schema,
    context: (call) => ({ call }),
    async ready() {
      if (!sea.isAwake) throw new Error('still asleep');
    },
    routes: {
      'POST /internal/entries': async ({ body }) => {
        if (!sea.audits) return { status: 503, body: '{}' };
        sea.entries.push(...JSON.parse(body.toString()).entries);
        return { status: sea.cutsAudits ? 500 : 200, body: '{}' };
      },
    },
  };
}

export interface Harbour {
  sea: Sea;
  router: ServedRouter;
  url: string;
  crews: Served;
  ships: Served;
  supergraphSdl: string;
  /** Another router over the same houses. */
  another(options?: Partial<RouterOptions>): Promise<ServedRouter>;
  ask(query: string, options?: AskOptions): Promise<Asked>;
  stop(): Promise<void>;
}

export interface AskOptions {
  variables?: object;
  token?: string;
  headers?: Record<string, string>;
  url?: string;
}

export interface Asked extends Answer {
  status: number;
  headers: Headers;
}

/** Two signed houses, the router's own subgraph, one router over all three, with credentials. */
export async function openHarbour(options: Partial<RouterOptions> = {}): Promise<Harbour> {
  const sea = seaOf();
  // One clock for all: a deadline by the router's is judged by the houses'.
  const clock = options.clock ?? systemClock;
  const serving = { secret: SECRET, clock, log: silentLog };
  const ships = await serveHouse(shipsHouse(sea), serving);
  const crews = await serveHouse(crewsHouse(sea), serving);
  const access = {
    Query: ['viewer'],
    Mutation: ['operator'],
    Subscription: ['viewer'],
    ...Object.fromEntries(
      [
        'RouterStatus',
        'SubgraphStatus',
        'Breaker',
        'BreakerMove',
        'Replica',
        'ClientUsage',
        'RateLimit',
        'BreakerChange',
        'FeatureFlag',
        'Actor',
      ].map((type) => [type, ['viewer']]),
    ),
    'Replica.url': ['operator'],
    SubgraphStatusPayload: ['operator'],
    FeatureFlagPayload: ['operator'],
    QueryPlan: ['viewer'],
    QueryPlanNode: ['viewer'],
    UserError: ['viewer'],
    Ship: ['viewer'],
    AuditEntry: ['viewer'],
  };
  const supergraphSdl = composeSupergraph([
    { name: 'ships', url: `${ships.url}/graphql`, sdl: SHIPS },
    { name: 'crews', url: `${crews.url}/graphql`, sdl: CREWS },
    { name: 'router', url: 'http://router/graphql', sdl: ownSubgraphSdl(['Ship'], access) },
  ]);
  const client = (name: string, url: string) =>
    new HouseClient(name, url, deriveKey(SECRET, `call:${name}`), () => clock.nowMs());
  const houses = { ships: client('ships', ships.url), crews: client('crews', crews.url) };
  const routers: ServedRouter[] = [];
  const another = async (more: Partial<RouterOptions> = {}) => {
    const router = await serveRouter({
      supergraphSdl,
      clock,
      log: silentLog,
      houses,
      callers: { adminToken: ADMIN_TOKEN, house: houses.ships },
      audit: houses.crews,
      own: { cursorKey: deriveKey(SECRET, 'cursor:router') },
      routes: { 'POST /v1/logs': { subgraph: 'ships' } },
      version: '1.2.3',
      ...options,
      ...more,
    });
    routers.push(router);
    return router;
  };
  const router = await another();
  return {
    sea,
    router,
    url: router.url,
    ships,
    crews,
    supergraphSdl,
    another,
    ask: (query, asked = {}) => ask(asked.url ?? router.url, query, asked),
    async stop() {
      for (const each of routers) await each.stop();
      await ships.stop();
      await crews.stop();
      for (const house of Object.values(houses)) house.close();
    },
  };
}

/** One POST to /graphql. @param options.token the admin's unless given; empty: none */
export async function ask(url: string, query: string, options: AskOptions = {}): Promise<Asked> {
  const { variables = {}, token = ADMIN_TOKEN, headers = {} } = options;
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(token), ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return { ...((await response.json()) as Answer), status: response.status, headers: response.headers };
}

export function bearer(token: string): Record<string, string> {
  return token ? { authorization: `Bearer ${token}` } : {};
}

/** A plain HTTP server that answers as the test says. */
export async function plainServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
