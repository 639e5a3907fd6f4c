import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  parse,
} from 'graphql';
import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import { SCALARS } from '../../lib/graphql/scalars.ts';
import type { UsageBook } from '../callers/usage.ts';
import type { GraphAnswer, GraphRequest, StreamItem, SubgraphCaller } from '../engine.ts';
import type { Guard } from '../guard/guard.ts';
import { chargeOf } from '../limits/charge.ts';
import { COST } from '../limits/rates.ts';
import { bucketStanding } from '../limits/standing.ts';
import { ByteCache } from '../plan/byte-cache.ts';
import type { BreakerControl, ControlOutcome, ForceBreakerInput, SetSubgraphLimitInput } from './breaker-control.ts';
import type { BreakerFeed, PlacedMove } from './breaker-feed.ts';
import type { ApplyFeatureFlagInput, FlagDesk } from './flag-desk.ts';
import { type NodeLoader, type NodeStub, nodeLoader } from './node-lookup.ts';
import type { NodeOwners } from './node-owners.ts';
import type { PlanDesk, QueryPlanArguments } from './plan-desk.ts';
import { ownSubgraphSdl } from './sdl.ts';
import { clientStatus, type RouterFacts, replicaStatus, subgraphStatus, subgraphStatuses } from './status.ts';

const MAX_NODES = 100;
const PARSED_BYTES = 1_000_000;

export interface OwnSubgraphOptions {
  guard: Guard;
  /** Of the schema that is served now. */
  owners: () => NodeOwners;
  control: BreakerControl;
  feed: BreakerFeed;
  flags: FlagDesk;
  plans: PlanDesk;

  usage: UsageBook;
  clock: Clock;
  facts: () => RouterFacts;
  /** How many subscriptions run. */
  subscriptions: () => number;
}

interface Context {
  call: Call;
  nodes: NodeLoader;
}

/** The router as a subgraph of itself: it answers in this process, by the same interface as all others. */
export class OwnSubgraph implements SubgraphCaller {
  #owners: NodeOwners;
  #schema: GraphQLSchema;
  readonly #parsed = new ByteCache<DocumentNode>(PARSED_BYTES);

  constructor(private readonly options: OwnSubgraphOptions) {
    this.#owners = options.owners();
    this.#schema = this.#built();
  }

  async execute(_subgraph: string, request: GraphRequest, call: Call): Promise<GraphAnswer> {
    return plain(await execute({ ...this.#args(request), contextValue: this.#context(call) }));
  }

  async *subscribe(
    _subgraph: string,
    request: GraphRequest,
    call: Call,
    signal: AbortSignal,
  ): AsyncGenerator<StreamItem, void> {
    const args = this.#args(request);
    const source = await createSourceEventStream({ ...args, contextValue: this.#context(call) });
    if (!(Symbol.asyncIterator in source)) {
      yield { answer: { errors: (source.errors ?? []).map((error) => error.toJSON()) } };
      return;
    }
    const moves = source as AsyncGenerator<PlacedMove>;
    const leave = () => void moves.return(undefined);
    signal.addEventListener('abort', leave, { once: true });
    try {
      for await (const placed of moves) {
        const answer = await execute({ ...args, rootValue: placed, contextValue: this.#context(call) });
        yield { id: placed.cursor, answer: plain(answer) };
      }
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  /** Made anew when the nodes that there are have changed. */
  #served(): GraphQLSchema {
    const owners = this.options.owners();
    if (owners === this.#owners) return this.#schema;
    const isSame = owners.size === this.#owners.size && [...owners.keys()].every((type) => this.#owners.has(type));
    this.#owners = owners;
    if (!isSame) this.#schema = this.#built();
    return this.#schema;
  }

  #built(): GraphQLSchema {
    const typeDefs = parse(ownSubgraphSdl([...this.#owners.keys()]));
    return buildSubgraphSchema({ typeDefs, resolvers: this.#resolvers() as never });
  }

  #args({ query, operationName, variables }: GraphRequest) {
    return {
      schema: this.#served(),
      document: this.#document(query),
      ...(operationName ? { operationName } : {}),
      ...(variables ? { variableValues: variables } : {}),
    };
  }

  #document(query: string): DocumentNode {
    const known = this.#parsed.get(query);
    if (known) return known;
    const document = parse(query);
    this.#parsed.set(query, document, 10 * query.length);
    return document;
  }

  #context(call: Call): Context {
    const { owners, guard } = this.options;
    return { call, nodes: nodeLoader(owners(), guard, call) };
  }

  #resolvers() {
    const { control, flags, plans } = this.options;
    return {
      DateTime: SCALARS.DateTime,
      Duration: SCALARS.Duration,
      SafeInt: SCALARS.SafeInt,
      JSON: SCALARS.JSON,
      Node: { __resolveType: ({ __typename }: NodeStub) => __typename },
      Change: { __resolveType: () => 'BreakerChange' },
      Query: {
        node: (_: unknown, { id }: { id: string }, { nodes }: Context) => nodes.load(id),
        nodes: (_: unknown, { ids }: { ids: string[] }, { nodes }: Context) => loadNodes(ids, nodes),
        router: () => this.#status(),
        rateLimit: (_: unknown, __: unknown, { call }: Context) => this.#rateLimit(call),
        featureFlags: () => flags.all(),
        queryPlan: (_: unknown, args: QueryPlanArguments, { call }: Context) => plans.plan(args, call),
      },
      Mutation: {
        forceBreaker: async (_: unknown, { input }: { input: ForceBreakerInput }, { call }: Context) =>
          this.#payload(await control.forceBreaker(input, call)),
        setSubgraphLimit: async (_: unknown, { input }: { input: SetSubgraphLimitInput }, { call }: Context) =>
          this.#payload(await control.setSubgraphLimit(input, call)),
        applyFeatureFlag: (_: unknown, { input }: { input: ApplyFeatureFlagInput }, { call }: Context) =>
          flags.apply(input, call),
      },
      Subscription: {
        breakerChanged: {
          subscribe: (_: unknown, { after }: { after?: string | null }, { call }: Context) => this.#moves(after, call),
          resolve: (placed: PlacedMove) => this.#change(placed),
        },
      },
    };
  }

  #status() {
    const { guard, usage, subscriptions, clock } = this.options;
    const facts = this.options.facts();
    return {
      version: facts.version,
      supergraphHash: facts.supergraphHash,
      loadedAt: new Date(facts.loadedAtMs),
      subgraphs: () => subgraphStatuses(guard, clock.nowMs()),
      clients: () => usage.all().map(clientStatus),
      subscriptions,
    };
  }

  /** Null for what no client asked: the router's own questions are charged nothing. */
  #rateLimit(call: Call) {
    const charge = chargeOf(call);
    if (!charge) return null;
    const { standing } = charge;
    const { limit, used, remaining, resetMs } = bucketStanding(standing, COST);
    return { limit, cost: standing.cost, remaining, used, resetAt: new Date(this.options.clock.nowMs() + resetMs) };
  }

  #payload({ subgraph, ...outcome }: ControlOutcome) {
    return { ...outcome, subgraph: subgraph === undefined ? null : this.#subgraph(subgraph) };
  }

  #moves(after: string | null | undefined, call: Call): AsyncIterableIterator<PlacedMove> {
    const { feed } = this.options;
    return feed.movesAfter(feed.positionAfter(call.lastEventId ?? after));
  }

  #change({ cursor, move }: PlacedMove) {
    return {
      cursor,
      occurredAt: new Date(move.occurredAtMs),
      kind: 'UPDATED',
      subgraph: this.#subgraph(move.subgraph),
      replica: this.#replica(move),
      previous: move.from,
    };
  }

  #replica({ subgraph, replica: ordinal }: PlacedMove['move']) {
    const { guard, clock } = this.options;
    const replica = guard.circuits.get(subgraph)?.replicas.find((each) => each.ordinal === ordinal);
    return replica ? replicaStatus(replica, clock.nowMs()) : null;
  }

  #subgraph(name: string) {
    const { guard, clock } = this.options;
    const lane = guard.lanes.get(name);
    return lane ? subgraphStatus(lane, clock.nowMs()) : null;
  }
}

function loadNodes(ids: readonly string[], nodes: NodeLoader): Promise<(NodeStub | Error | null)[]> {
  if (ids.length > MAX_NODES) throw new FleetError('BAD_INPUT', `at most ${MAX_NODES} ids`, { field: ['ids'] });
  return nodes.loadMany(ids);
}

/** An answer as it would have come over the wire. */
function plain(result: ExecutionResult): GraphAnswer {
  const { data, errors } = result;
  const answer = data === undefined ? {} : { data: data as Record<string, unknown> | null };
  // Data of graphql-js has no prototypes; what crosses no wire must be as open to change as what does.
  const copied = structuredClone(answer);
  return errors ? { ...copied, errors: errors.map((error) => error.toJSON()) } : copied;
}
