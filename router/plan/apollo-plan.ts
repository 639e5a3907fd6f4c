import type { FetchNodePathSegment, FlattenNodePathSegment, PlanNode } from '@graphql-hive/router-query-planner';

/** A plan as Apollo's planner writes it: paths are texts, rewrites name their kind. */
export interface ApolloNode {
  kind: string;
  [part: string]: unknown;
}

/** The same plan as the native planner would write it. @throws Error for a part this router does not run */
export function planOf(node: ApolloNode): PlanNode {
  return nodeOf(node) as unknown as PlanNode;
}

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
