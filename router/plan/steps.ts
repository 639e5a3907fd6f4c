import type {
  EntityBatchAlias,
  FetchNode,
  FetchRewrite,
  FlattenNodePathSegment,
  PlanNode,
  RequiresSelection,
} from '@graphql-hive/router-query-planner';
import { type DocumentNode, Kind, parse, type SelectionSetNode } from 'graphql';
import { assert } from '../../lib/errors.ts';

/** One segment of the way to entities in the data so far. */
export type Segment = { key: string } | { types: readonly string[] } | 'each';

/** One change of a representation or of an answer: set a value, or give a key its real name. */
export interface Rewrite {
  path: readonly ({ key: string } | { types: readonly string[] })[];
  set?: string;
  rename?: string;
}

interface Fetch {
  subgraph: string;
  operation: string;
  operationName: string | undefined;
  /** Names of the client's variables it uses. */
  variables: readonly string[];
  /** Its request as JSON, up to its first variable. */
  head: string;
}

/** Asks for root fields. */
export interface RootFetch extends Fetch {
  kind: 'root';
  isMutation: boolean;
  /** Response keys of the root it asks for. */
  keys: readonly string[];
  outputs: readonly Rewrite[];
}

/** One list of entities that an entity fetch asks for. */
export interface EntityGroup {
  /** Response key of its `_entities`. */
  alias: string;
  /** The variable that takes the representations. */
  variable: string;
  /** Where the entities are. */
  paths: readonly (readonly Segment[])[];
  requires: readonly RequiresSelection[];
  inputs: readonly Rewrite[];
  outputs: readonly Rewrite[];
  /** Response keys it adds to each entity. */
  keys: readonly string[];
}

/** Asks for more fields of entities that are already there. */
export interface EntityFetch extends Fetch {
  kind: 'entities';
  groups: readonly EntityGroup[];
}

/** A plan, checked and laid out for running. */
export type Step =
  | RootFetch
  | EntityFetch
  | { kind: 'sequence' | 'parallel'; steps: readonly Step[] }
  | Serial
  | { kind: 'condition'; variable: string; met: Step | undefined; unmet: Step | undefined };

/** Mutations one after the other; none is begun once one before has failed in such a way that nothing can be answered. */
export interface Serial {
  kind: 'serial';
  steps: readonly Step[];
  /** By step, the root keys it answers. */
  keys: readonly (readonly string[])[];
}

/** What a plan of a subscription comes to: a stream, and what joins other subgraphs' fields to each of its events. */
export interface StreamPlan {
  source: RootFetch;
  join: Step | undefined;
}

/** @throws on a node this executor does not know: no answer is better than a wrong one */
export function stepsOf(node: PlanNode, path?: readonly Segment[]): Step {
  switch (node.kind) {
    case 'Sequence':
    case 'Parallel':
      return {
        kind: node.kind === 'Sequence' ? 'sequence' : 'parallel',
        steps: node.nodes.map((each) => stepsOf(each, path)),
      };
    case 'Condition':
      return {
        kind: 'condition',
        variable: node.condition,
        met: node.ifClause ? stepsOf(node.ifClause, path) : undefined,
        unmet: node.elseClause ? stepsOf(node.elseClause, path) : undefined,
      };
    case 'Flatten':
      return stepsOf(node.node, [...(path ?? []), ...node.path.map(segmentOf)]);
    case 'Fetch':
      return path ? entityFetchOf(node, path) : rootFetchOf(node);
    case 'BatchFetch': {
      const document = parse(node.operation, { noLocation: true });
      return {
        kind: 'entities',
        ...fetchOf(node),
        groups: node.entityBatch.aliases.map((alias) => groupOf(alias, document)),
      };
    }
    default:
      throw new Error(`the plan has a node this router does not run: ${node.kind}`);
  }
}

/** Takes a subscription's plan apart. */
export function streamPlanOf(node: PlanNode): StreamPlan {
  if (node.kind === 'Subscription') return { source: rootFetchOf(node.primary), join: undefined };
  assert(node.kind === 'Sequence', `a subscription is planned as a stream and what follows, not as ${node.kind}`);
  const [first, ...rest] = node.nodes;
  assert(first?.kind === 'Subscription', 'a subscription starts with its stream');
  const join = rest.length > 0 ? stepsOf({ kind: 'Sequence', nodes: rest }) : undefined;
  return { source: rootFetchOf(first.primary), join };
}

/** @param steps each with all it takes to answer its root keys */
export function serialOf(steps: readonly Step[]): Serial {
  return { kind: 'serial', steps, keys: steps.map(rootKeysOf) };
}

function rootKeysOf(step: Step): readonly string[] {
  if (step.kind === 'root') return step.keys;
  return 'steps' in step ? step.steps.flatMap(rootKeysOf) : [];
}

/** Whether any step matches. */
export function someStep(step: Step, matches: (step: RootFetch | EntityFetch) => boolean): boolean {
  if (step.kind === 'root' || step.kind === 'entities') return matches(step);
  if (step.kind === 'condition') {
    return [step.met, step.unmet].some((each) => each !== undefined && someStep(each, matches));
  }
  return step.steps.some((each) => someStep(each, matches));
}

function fetchOf(node: Pick<FetchNode, 'serviceName' | 'operation' | 'operationName' | 'variableUsages'>): Fetch {
  const { operation } = node;
  const operationName = node.operationName ?? undefined;
  const name = operationName === undefined ? '' : `"operationName":${JSON.stringify(operationName)},`;
  return {
    subgraph: node.serviceName,
    operation,
    operationName,
    variables: node.variableUsages ?? [],
    head: `{"query":${JSON.stringify(operation)},${name}"variables":{`,
  };
}

function rootFetchOf(node: FetchNode): RootFetch {
  assert(!node.requires || node.requires.length === 0, 'a fetch that requires entities has a way to them');
  return {
    kind: 'root',
    ...fetchOf(node),
    isMutation: node.operationKind === 'mutation',
    keys: keysBelow(parse(node.operation, { noLocation: true })),
    outputs: (node.outputRewrites ?? []).map(rewriteOf),
  };
}

function entityFetchOf(node: FetchNode, path: readonly Segment[]): EntityFetch {
  const group = {
    alias: '_entities',
    variable: 'representations',
    paths: [path],
    requires: node.requires ?? [],
    inputs: (node.inputRewrites ?? []).map(rewriteOf),
    outputs: (node.outputRewrites ?? []).map(rewriteOf),
    keys: keysBelow(parse(node.operation, { noLocation: true }), '_entities'),
  };
  return { kind: 'entities', ...fetchOf(node), groups: [group] };
}

function groupOf(alias: EntityBatchAlias, document: DocumentNode): EntityGroup {
  return {
    alias: alias.alias,
    variable: alias.representationsVariableName,
    paths: alias.paths.map((path) => path.map(segmentOf)),
    requires: alias.requires,
    inputs: (alias.inputRewrites ?? []).map(rewriteOf),
    outputs: (alias.outputRewrites ?? []).map(rewriteOf),
    keys: keysBelow(document, alias.alias),
  };
}

function segmentOf(segment: FlattenNodePathSegment): Segment {
  if (segment === '@') return 'each';
  return 'Field' in segment ? { key: segment.Field } : { types: segment.TypeCondition };
}

function rewriteOf(rewrite: FetchRewrite): Rewrite {
  const kind = rewrite as Partial<Record<'ValueSetter' | 'KeyRenamer', Record<string, unknown>>>;
  // The planner sometimes writes a value setter without its wrapping.
  const body = (kind.ValueSetter ?? kind.KeyRenamer ?? rewrite) as {
    path: ({ Key: string } | { TypenameEquals: string[] })[];
    setValueTo?: string;
    renameKeyTo?: string;
  };
  return {
    path: body.path.map((step) => ('Key' in step ? { key: step.Key } : { types: step.TypenameEquals })),
    ...(body.setValueTo === undefined ? {} : { set: body.setValueTo }),
    ...(body.renameKeyTo === undefined ? {} : { rename: body.renameKeyTo }),
  };
}

/** Response keys an operation selects at its root, or below one of its root's keys. */
function keysBelow(document: DocumentNode, rootKey?: string): string[] {
  const keys = new Set<string>();
  const walk = (set: SelectionSetNode, isWanted: boolean): void => {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        if (isWanted && selection.name.value !== '__typename') keys.add(key);
        if (!isWanted && key === rootKey && selection.selectionSet) walk(selection.selectionSet, true);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        walk(selection.selectionSet, isWanted);
      } else {
        const fragment = document.definitions.find(
          (each) => 'name' in each && each.name?.value === selection.name.value,
        );
        if (fragment?.kind === Kind.FRAGMENT_DEFINITION) walk(fragment.selectionSet, isWanted);
      }
    }
  };
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) walk(definition.selectionSet, rootKey === undefined);
  }
  return [...keys];
}
