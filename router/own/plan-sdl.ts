/** Types of `queryPlan`. */
export const PLAN_SDL = `
"How the router answers an operation."
type QueryPlan {
  "The operation's own name."
  operationName: String
  "Root fields it asks for."
  rootFields: [String!]!
  "Points it costs with these variables, by prediction: what it is charged."
  cost: Int!
  "How long it took, milliseconds; null when it was not run."
  tookMs: Int
  "Errors its run gave; null when it was not run."
  errors: Int
  "The plan as a tree, each node behind its parent; empty when no subgraph is asked."
  nodes: [QueryPlanNode!]!
}

"One step of a plan."
type QueryPlanNode {
  "What is done."
  kind: QueryPlanKind!
  "How deep it lies: 0 for the root."
  depth: Int!
  "Who is asked, of a fetch."
  subgraph: String
  "What is sent, of a fetch."
  operation: String
  "Fields it asks for, as paths."
  fields: [String!]!
  "Where its entities are in the answer so far; \`@\` is each item of a list."
  path: [String!]!
  "The variable that decides, of a condition."
  variable: String
  "Entities it asked for, when it was run."
  representations: Int
  "When it began after the operation did, milliseconds, when it was run."
  startedMs: Int
  "How long it took, milliseconds, when it was run."
  tookMs: Int
}

"What a step of a plan does."
enum QueryPlanKind {
  "Asks a subgraph for root fields."
  FETCH
  "Asks a subgraph for more fields of entities that are there already."
  ENTITIES
  "Takes events from a subgraph; what follows is done for each."
  STREAM
  "Its parts one after the other."
  SEQUENCE
  "Its parts at the same time."
  PARALLEL
  "Its first part when a variable is true, its second when not."
  CONDITION
}
`;
