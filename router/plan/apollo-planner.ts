import type { FetchNodePathSegment, FlattenNodePathSegment, PlanNode } from '@graphql-hive/router-query-planner';
import { parse } from 'graphql';
import type { Overrides, PlannerMaker } from './planner.ts';
import { RequiredArguments } from './required-arguments.ts';

/** A plan as Apollo's planner writes it: paths are texts, rewrites name their kind. */
interface ApolloNode {
  kind: string;
  [part: string]: unknown;
}

/** It weighs fewer alternatives than by default, because it does so on the main loop; too many ways are an error. */
const BOUNDS = { maxEvaluatedPlans: 500, pathsLimit: 5_000 };

/**
 * Apollo's planner, for operations the native one cannot plan. It is loaded and built at its first operation, because it
 * takes 30 ms and more, and runs on the main loop.
 */
export function apolloPlanner({ labels = new Set() }: Overrides = {}): PlannerMaker {
  return (supergraphSdl) => {
    let built: ReturnType<typeof build> | undefined;
    return {
      async plan(document, operationName) {
        built ??= build(supergraphSdl, labels);
        const node = built(document, operationName);
        return node && (nodeOf(node) as unknown as PlanNode);
      },
    };
  };
}

function build(supergraphSdl: string, labels: ReadonlySet<string>) {
  // Loaded late, because both together take as long as the rest of the router to start.
  const { QueryPlanner } = require('@apollo/query-planner') as typeof import('@apollo/query-planner');
  const { operationFromDocument, Supergraph } =
    require('@apollo/federation-internals') as typeof import('@apollo/federation-internals');
  const supergraph = Supergraph.build(supergraphSdl, { supportedFeatures: null, validateSupergraph: false });
  const planner = new QueryPlanner(supergraph, { debug: BOUNDS });
  const requiredArguments = new RequiredArguments(parse(supergraphSdl, { noLocation: true }));
  const overrideConditions = new Map([...labels].map((label) => [label, true]));
  return (document: string, operationName: string | undefined): ApolloNode | undefined => {
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

/** The same plan as the native planner would write it. */
function nodeOf(node: ApolloNode): ApolloNode {
  switch (node.kind) {
    case 'Sequence':
    case 'Parallel':
      return { kind: node.kind, nodes: (node['nodes'] as ApolloNode[]).map(nodeOf) };
    case 'Flatten':
      return {
        kind: 'Flatten',
        path: (node['path'] as string[]).map(segmentOf),
        node: nodeOf(node['node'] as ApolloNode),
      };
    case 'Condition': {
      const [met, unmet] = [node['ifClause'], node['elseClause']] as (ApolloNode | undefined)[];
      const clauses = { ...(met ? { ifClause: nodeOf(met) } : {}), ...(unmet ? { elseClause: nodeOf(unmet) } : {}) };
      return { kind: 'Condition', condition: node['condition'], ...clauses };
    }
    case 'Subscription': {
      const stream = { kind: 'Subscription', primary: nodeOf(node['primary'] as ApolloNode) };
      const rest = node['rest'] as ApolloNode | undefined;
      return rest ? { kind: 'Sequence', nodes: [stream, nodeOf(rest)] } : stream;
    }
    case 'Fetch':
      return fetchOf(node);
    default:
      throw new Error(`the plan has a node this router does not run: ${node.kind}`);
  }
}

function fetchOf(node: ApolloNode): ApolloNode {
  if ((node['contextRewrites'] as unknown[] | undefined)?.length) throw new Error('@fromContext is not supported');
  const rewrites = (name: string) => (node[name] as ApolloNode[] | undefined)?.map(rewriteOf);
  return {
    ...node,
    inputRewrites: rewrites('inputRewrites'),
    outputRewrites: rewrites('outputRewrites'),
    operationDocumentNode: undefined,
  };
}

function segmentOf(segment: string): FlattenNodePathSegment {
  return segment === '@' ? '@' : { Field: segment };
}

function rewriteOf({ path, setValueTo, renameKeyTo }: ApolloNode): object {
  const steps = (path as string[]).map((step): FetchNodePathSegment => {
    const type = /^\.\.\. on (.+)$/.exec(step)?.[1];
    return type === undefined ? { Key: step } : { TypenameEquals: [type] };
  });
  return renameKeyTo === undefined
    ? { ValueSetter: { path: steps, setValueTo } }
    : { KeyRenamer: { path: steps, renameKeyTo } };
}
