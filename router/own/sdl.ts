import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  print,
  visit,
} from 'graphql';
import { type AccessTable, scopesOf } from '../../lib/access.ts';
import { FLAG_SDL } from './flag-sdl.ts';
import { PLAN_SDL } from './plan-sdl.ts';

/** The router's name as a subgraph. */
export const OWN_SUBGRAPH = 'router';

const HEAD = `
extend schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@composeDirective"])
  @link(url: "https://fleetgraph.dev/access/v1.0", import: ["@access"])
  @composeDirective(name: "@access")

"Any of these scopes opens the field."
directive @access(scopes: [String!]!) on FIELD_DEFINITION | OBJECT
`;

/** What other houses give out too bears its words there; one that differed would be lost in composition. */
const SHARED = `
scalar DateTime
scalar Duration
scalar SafeInt
scalar JSON

interface Node { id: ID! }
interface Change { cursor: String! occurredAt: DateTime! kind: ChangeKind! }
enum ChangeKind { CREATED UPDATED LEFT DELETED }
enum ActorKind { PERSON SCRIPT AGENT SYSTEM }
type Actor @shareable { id: ID! kind: ActorKind! name: String! }
type UserError @shareable { code: String! message: String! field: [String!] }
`;

const OWN = `
type Query {
  "The node with this id. One that its owner does not know is null, without an error."
  node("Opaque global id." id: ID!): Node
  "The nodes with these ids, in their order. One that its owner does not know is null, without an error."
  nodes("At most 100 global ids." ids: [ID!]!): [Node]
  "The router as it runs now: its subgraphs, its clients, its schema."
  router: RouterStatus
  "Where you stand in the points of this class of operations, and what this one is charged."
  rateLimit("Tells what it would be, and changes nothing." dryRun: Boolean = false): RateLimit
  "Every feature flag, as it stands in this router."
  featureFlags: [FeatureFlag!]
  "How the router answers an operation; with \`run\` also what each step takes, for a query that is run as you and charged to you."
  queryPlan(
    "The document."
    query: String!
    "Its variables, an object."
    variables: JSON
    "Which operation, when there are several."
    operationName: String
    "Runs it too; its answer is thrown away."
    run: Boolean = false
  ): QueryPlan
}

type Mutation {
  "Holds a subgraph's breaker open or closed, or lets it judge for itself again."
  forceBreaker("Which one, how, why." input: ForceBreakerInput!): SubgraphStatusPayload
  "Changes how many calls a second the router makes to a subgraph, until it restarts."
  setSubgraphLimit("Which one, how many." input: SetSubgraphLimitInput!): SubgraphStatusPayload
  "Turns a feature on or off, or on for some; in effect in every process within a second."
  applyFeatureFlag("Which one, how." input: ApplyFeatureFlagInput!): FeatureFlagPayload
}

type Subscription {
  "Every move of every breaker, from now on or after a cursor."
  breakerChanged("Resume behind this payload's cursor." after: String): BreakerChange
}

"The router as it runs now."
type RouterStatus {
  "Version of the program."
  version: String!
  "SHA-256 of the composed schema, hexadecimal."
  supergraphHash: String!
  "When this schema was taken into service."
  loadedAt: DateTime!
  "Every subgraph behind it, by name."
  subgraphs: [SubgraphStatus!]!
  "Who called in the last minutes, the busiest first."
  clients: [ClientUsage!]!
  "Subscriptions that run now."
  subscriptions: Int!
}

"One subgraph as the router sees it; figures are of the last minute."
type SubgraphStatus {
  "Its name in the composed schema."
  name: String!
  "What stands between it and its failures."
  breaker: Breaker!
  "Where it is reached."
  replicas: [Replica!]!
  "Calls a second the router makes to it at most."
  limitPerSecond: Float!
  "Calls under way."
  inFlight: Int!
  "Calls that may be under way now: more while it answers as quickly as before, few while it does not answer."
  inFlightLimit: Int!
  "Calls that wait for their turn."
  waiting: Int!
  "Calls a second it was sent."
  requestsPerSecond: Float!
  "Share of calls that failed, 0 to 1."
  errorRatio: Float!
  "Half of its answers took no longer, milliseconds."
  p50Ms: Float!
  "Ninety-nine in a hundred answers took no longer, milliseconds."
  p99Ms: Float!
}

"A circuit breaker: refuses calls to a subgraph that keeps failing, and lets one through to see whether it is back."
type Breaker {
  "Whether calls pass."
  state: BreakerState!
  "Whether somebody holds it."
  override: BreakerOverride!
  "Since when it is in this state."
  since: DateTime!
  "Share of failures among the calls it judges by, 0 to 1."
  failureRatio: Float!
  "When it lets one call through, while it is open."
  nextProbeAt: DateTime
  "Why it is not closed."
  reason: String
  "Its last moves, the newest first, as far as this router remembers: at most 100."
  history("How many." first: Int = 20): [BreakerMove!]!
}

"One move of a breaker."
type BreakerMove {
  "When it moved."
  occurredAt: DateTime!
  "The state before."
  from: BreakerState!
  "The state after."
  to: BreakerState!
  "Why."
  reason: String!
  "Whether somebody forced it."
  forced: Boolean!
}

"Whether calls pass a breaker."
enum BreakerState {
  "All calls pass."
  CLOSED
  "Every call is refused at once."
  OPEN
  "One call is on its way to see; all others are refused."
  HALF_OPEN
}

"Who decides about a breaker."
enum BreakerOverride {
  "It judges for itself; setting this closes it at once and forgets its failures."
  AUTO
  "Held open by force."
  OPEN
  "Held closed by force."
  CLOSED
}

"One address of a subgraph."
type Replica {
  "Which of its subgraph's it is, as metrics and the audit trail name it."
  number: Int!
  "Where it is."
  url: String!
  "Whether it is sent calls."
  healthy: Boolean!
  "What stands between it and its failures; its subgraph's is open once all its replicas' are."
  breaker: Breaker!
  "Calls under way."
  inFlight: Int!
  "Half of its answers took no longer, milliseconds."
  p50Ms: Float!
  "Since when it is healthy, or not."
  since: DateTime!
}

"What one client asked of the router."
type ClientUsage {
  "Who it is."
  client: Actor!
  "Requests a second, over the last minute."
  requestsPerSecond: Float!
  "Requests refused by its rate since the router started."
  limited: SafeInt!
  "Cost of its requests since the router started."
  costUsed: Float!
}

"Where a client stands in the points of cost of one class of operations."
type RateLimit {
  "Points it may use at once."
  limit: Int!
  "What this operation is charged, points."
  cost: Int!
  "Points left now."
  remaining: Int!
  "Points that have not come back yet."
  used: Int!
  "When all points are back."
  resetAt: DateTime!
}

"How to hold a breaker."
input ForceBreakerInput {
  "The subgraph's name."
  subgraph: String!
  "Who is to decide."
  override: BreakerOverride!
  "After so long it judges for itself again; nothing means until told."
  for: Duration
  "Why; it is written into the audit trail."
  reason: String!
  "Idempotency key: a repeat returns the first outcome."
  clientMutationId: String
}

"How many calls a subgraph gets."
input SetSubgraphLimitInput {
  "The subgraph's name."
  subgraph: String!
  "Calls a second, above 0."
  limitPerSecond: Float!
  "Idempotency key: a repeat returns the first outcome."
  clientMutationId: String
}

"What came of a change to a subgraph's guard."
type SubgraphStatusPayload {
  "The subgraph as it is now."
  subgraph: SubgraphStatus
  "What kept it from being done."
  userErrors: [UserError!]!
  "The receipt: what was written into the audit trail before it was done."
  auditEntry: AuditEntry
}

"A breaker that went from one state to another."
type BreakerChange implements Change {
  "Resume after this payload with \`after\`."
  cursor: String!
  "When it moved."
  occurredAt: DateTime!
  "Always UPDATED: breakers are neither made nor taken away."
  kind: ChangeKind!
  "The subgraph as it is now."
  subgraph: SubgraphStatus!
  "The replica whose own breaker it is, of a subgraph that has several; null: the subgraph's."
  replica: Replica
  "The state before."
  previous: BreakerState
}
`;

/**
 * The router's own subgraph as text.
 * @param nodeTypes names of all types that implement Node: each becomes a stub that its owner fills
 * @param access stamped as `@access`, when given
 */
export function ownSubgraphSdl(nodeTypes: readonly string[], access?: AccessTable): string {
  const stubs = [...new Set([...nodeTypes, 'AuditEntry'])]
    .sort()
    .map((type) => `type ${type} implements Node @key(fields: "id", resolvable: false) { id: ID! }`);
  const document = parse([HEAD, SHARED, OWN, FLAG_SDL, PLAN_SDL, ...stubs].join('\n'), { noLocation: true });
  return print(access ? withAccess(document, access) : document);
}

function withAccess(document: DocumentNode, access: AccessTable): DocumentNode {
  return visit(document, {
    ObjectTypeDefinition(type): ObjectTypeDefinitionNode {
      const fields = (type.fields ?? []).map((field): FieldDefinitionNode => {
        const scopes = scopesOf(access, type.name.value, field.name.value);
        return scopes ? { ...field, directives: [...(field.directives ?? []), accessDirective(scopes)] } : field;
      });
      return { ...type, fields };
    },
  });
}

function accessDirective(scopes: readonly string[]): ConstDirectiveNode {
  const name = (value: string) => ({ kind: Kind.NAME, value }) as const;
  const values = scopes.map((value) => ({ kind: Kind.STRING, value }) as const);
  return {
    kind: Kind.DIRECTIVE,
    name: name('access'),
    arguments: [{ kind: Kind.ARGUMENT, name: name('scopes'), value: { kind: Kind.LIST, values } }],
  };
}
