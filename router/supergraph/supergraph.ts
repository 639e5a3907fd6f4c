import type { GraphQLSchema } from 'graphql';
import { CostRules } from '../limits/cost-rules.ts';
import { AccessRules } from './access-rules.ts';
import { factsOf, type KeyFields, type SupergraphFacts } from './facts.ts';
import { OverrideShares } from './override-shares.ts';
import { PlainNames } from './plain-names.ts';
import { schemaInSteps, validSchemaOf } from './schema-of-pieces.ts';

/** A composed schema, read: what clients see, where its parts live, what opens them. */
export interface Supergraph {
  readonly sdl: string;
  /** What clients may ask. */
  readonly schema: GraphQLSchema;
  readonly schemaSdl: string;
  /** Subgraph name → address. */
  readonly subgraphs: ReadonlyMap<string, string>;
  readonly access: AccessRules;
  readonly costs: CostRules;
  readonly plainNames: PlainNames;
  readonly overrideShares: OverrideShares;
  /** Whether objects of the type are `condition`, or implement it, or belong to it; inaccessible types included. */
  satisfies(type: string, condition: string): boolean;
  /** Whether this names an object type, inaccessible ones included. */
  isObject(type: string): boolean;
  /** The resolvable keys of a type in a subgraph; empty when it has none there. */
  keysOf(subgraph: string, type: string): readonly KeyFields[];
}

/** @throws Error when it is no Federation 2 supergraph, asks for protection this router does not give, or is no valid schema */
export function readSupergraph(sdl: string): Supergraph {
  const facts = factsOf(sdl);
  return supergraphOf(sdl, facts, validSchemaOf(facts.pieces));
}

/**
 * As `readSupergraph`, of facts that were read and validated elsewhere, with a turn of the event loop after every few
 * milliseconds of work: for a router that serves meanwhile.
 */
export async function supergraphInTurns(sdl: string, facts: SupergraphFacts): Promise<Supergraph> {
  const reading = schemaInSteps(facts.pieces);
  for (;;) {
    const step = reading.next();
    if (step.done) return supergraphOf(sdl, facts, step.value);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function supergraphOf(sdl: string, facts: SupergraphFacts, schema: GraphQLSchema): Supergraph {
  const { members, objects, keys } = facts;
  return {
    sdl,
    schema,
    schemaSdl: facts.pieces.join('\n\n'),
    subgraphs: facts.subgraphs,
    access: new AccessRules(facts.access),
    costs: new CostRules(facts.costs),
    plainNames: new PlainNames(facts.names),
    overrideShares: new OverrideShares(facts.overrideLabels),
    satisfies: (type, condition) => type === condition || (members.get(condition)?.has(type) ?? false),
    isObject: (type) => objects.has(type),
    keysOf: (subgraph, type) => keys.get(`${subgraph} ${type}`) ?? [],
  };
}
