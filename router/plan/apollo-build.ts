import { operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import type { PlanNode } from '@graphql-hive/router-query-planner';
import { parse } from 'graphql';
import { overrideLabelsIn, percentOf } from '../supergraph/override-shares.ts';
import { type ApolloNode, planOf } from './apollo-plan.ts';
import { RequiredArguments } from './required-arguments.ts';
import { Soundness } from './soundness.ts';

/** It weighs fewer alternatives than by default; too many ways are an error. */
const BOUNDS = { maxEvaluatedPlans: 500, pathsLimit: 5_000 };

/** Plans a document. @throws Error for what it cannot plan, and for a plan that cannot be run */
export type PlanOne = (document: string, operationName: string | undefined, draw?: number) => PlanNode | undefined;

/**
 * Builds Apollo's planner of a supergraph. Its modules take as long to load as the rest of the router.
 * @param labels of progressive overrides that are on, beside `percent(n)`
 */
export function buildApolloPlanner(supergraphSdl: string, labels: Iterable<string>): PlanOne {
  const soundness = new Soundness(supergraphSdl);
  const planned = apolloPlans(supergraphSdl, labels);
  return (document, operationName, draw = 0) => {
    const node = planned(document, operationName, draw);
    // Plans have parts that cannot be cloned, which nobody needs.
    const plan = node && planOf(JSON.parse(JSON.stringify(node)));
    const objection = plan && soundness.objection(plan);
    if (objection !== undefined) throw new Error(objection);
    return plan;
  };
}

function apolloPlans(supergraphSdl: string, labels: Iterable<string>) {
  const supergraph = Supergraph.build(supergraphSdl, { supportedFeatures: null, validateSupergraph: false });
  const planner = new QueryPlanner(supergraph, { debug: BOUNDS });
  const ast = parse(supergraphSdl, { noLocation: true });
  const requiredArguments = new RequiredArguments(ast);
  const shares = overrideLabelsIn(ast).map((label) => [label, percentOf(label)] as const);
  return (document: string, operationName: string | undefined, draw: number): ApolloNode | undefined => {
    const drawn = shares.flatMap(([label, percent]) => (percent !== undefined && draw < percent ? [label] : []));
    const overrideConditions = new Map([...labels, ...drawn].map((label) => [label, true]));
    const named = operationName === undefined ? {} : { operationName };
    const parsed = parse(document, { noLocation: true });
    const operation = operationFromDocument(supergraph.apiSchema(), parsed, named);
    const node = planner.buildQueryPlan(operation, { overrideConditions }).node as ApolloNode | undefined;
    const mixedUp = node && requiredArguments.mixedUp(parsed, requiredNames(node));
    if (mixedUp !== undefined)
      throw new Error(`${mixedUp} is required with arguments of its own and would be mixed up`);
    return node;
  };
}

/** Names of all fields that fetches of the plan require. */
function requiredNames(node: ApolloNode, into = new Set<string>()): ReadonlySet<string> {
  const below = ['nodes', 'node', 'ifClause', 'elseClause', 'primary', 'rest', 'requires', 'selections'];
  if (typeof node['name'] === 'string') into.add(node['name']);
  for (const part of below.flatMap((name) => (node[name] as ApolloNode | ApolloNode[] | undefined) ?? [])) {
    requiredNames(part, into);
  }
  return into;
}
