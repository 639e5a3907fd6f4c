import { Kind, type OperationDefinitionNode, parse, print, type SelectionSetNode } from 'graphql';
import type { FetchRecord, FetchTiming } from '../execute/fetch-record.ts';
import type { EntityFetch, RootFetch, Step, StreamPlan } from './steps.ts';

/** A plan as people read it; with figures when it was run. */
export interface PlanNode {
  kind: 'FETCH' | 'ENTITIES' | 'STREAM' | 'SEQUENCE' | 'PARALLEL' | 'CONDITION';
  /** Who is asked, of a fetch. */
  subgraph?: string;
  /** What is asked for: `agents.nodes.name`, of a fetch. */
  fields?: string[];
  /** The operation that is sent, of a fetch. */
  operation?: string;
  /** Where the entities are in the answer so far. */
  path?: string[];
  /** The variable that decides, of a condition. */
  variable?: string;
  /** Entities that were asked for, when it was run. */
  representations?: number;
  /** When it began after the run did, milliseconds. */
  startedMs?: number;
  tookMs?: number;
  /** What it is made of: of a condition what is done when it is met, then what when not. */
  nodes?: PlanNode[];
}

type Timed = { record: FetchRecord; startedMs: number } | undefined;

/**
 * @param record of a run of these very steps
 * @param startedMs when the run began, epoch milliseconds
 */
export function describePlan(
  steps: Step | undefined,
  stream: StreamPlan | undefined,
  record?: FetchRecord,
  startedMs = 0,
): PlanNode | undefined {
  const timed = record && { record, startedMs };
  if (!stream) return steps && nodeOf(steps, timed);
  const source: PlanNode = { ...nodeOf(stream.source, timed), kind: 'STREAM' };
  return stream.join ? { kind: 'SEQUENCE', nodes: [source, nodeOf(stream.join, timed)] } : source;
}

function nodeOf(step: Step, timed: Timed): PlanNode {
  switch (step.kind) {
    case 'root':
      return { kind: 'FETCH', ...fetchOf(step), ...figuresOf(step, timed) };
    case 'entities': {
      const paths = step.groups.flatMap(({ paths }) => paths.map(textOf));
      return { kind: 'ENTITIES', ...fetchOf(step), path: [...new Set(paths)], ...figuresOf(step, timed) };
    }
    case 'sequence':
    case 'serial':
      return { kind: 'SEQUENCE', nodes: step.steps.map((each) => nodeOf(each, timed)) };
    case 'parallel':
      return { kind: 'PARALLEL', nodes: step.steps.map((each) => nodeOf(each, timed)) };
    case 'condition': {
      const nodes = [step.met, step.unmet].flatMap((each) => (each ? [nodeOf(each, timed)] : []));
      return { kind: 'CONDITION', variable: step.variable, nodes };
    }
  }
}

function fetchOf({
  subgraph,
  operation,
}: RootFetch | EntityFetch): Pick<PlanNode, 'subgraph' | 'operation' | 'fields'> {
  const document = parse(operation, { noLocation: true });
  const definition = document.definitions.find(
    (each): each is OperationDefinitionNode => each.kind === Kind.OPERATION_DEFINITION,
  );
  const fields: string[] = [];
  const walk = (set: SelectionSetNode, before: string): void => {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const { name, selectionSet } = selection;
        if (name.value === '__typename') continue;
        const path = name.value === '_entities' ? before : `${before}${name.value}`;
        if (selectionSet) walk(selectionSet, path && name.value !== '_entities' ? `${path}.` : path);
        else fields.push(path);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        walk(selection.selectionSet, before);
      } else {
        const fragment = document.definitions.find(
          (each) => each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === selection.name.value,
        );
        if (fragment && 'selectionSet' in fragment) walk(fragment.selectionSet, before);
      }
    }
  };
  if (definition) walk(definition.selectionSet, '');
  return { subgraph, fields: [...new Set(fields)], operation: print(document) };
}

function textOf(path: readonly ({ key: string } | { types: readonly string[] } | 'each')[]): string {
  return path
    .map((segment) => {
      if (segment === 'each') return '@';
      return 'key' in segment ? segment.key : `|${segment.types.join(',')}`;
    })
    .join('.');
}

function figuresOf(step: RootFetch | EntityFetch, timed: Timed): Partial<PlanNode> {
  const timing = timed?.record.timings.find((each: FetchTiming) => each.fetch === step);
  if (!timed || !timing) return {};
  const { representations, startedMs, tookMs } = timing;
  return {
    ...(step.kind === 'entities' ? { representations } : {}),
    startedMs: startedMs - timed.startedMs,
    ...(tookMs === undefined ? {} : { tookMs }),
  };
}
