import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { FleetError } from '../../lib/errors.ts';
import { type Projection, projectionOf } from '../execute/projection.ts';
import { operationCost } from '../limits/operation-cost.ts';
import type { Supergraph } from '../supergraph/supergraph.ts';
import { type AccessNeeds, accessNeeds } from './access.ts';
import type { Conditions } from './conditions.ts';
import { introspectionOf } from './introspection.ts';
import type { Planner } from './planner.ts';
import { type Fragments, Reduction } from './reduction.ts';
import { type Step, type StreamPlan, serialOf, someStep, stepsOf, streamPlanOf } from './steps.ts';

/** An operation, planned once and run many times. */
export interface PlannedOperation {
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly name: string | undefined;
  readonly rootFields: readonly string[];
  readonly document: DocumentNode;
  readonly definition: OperationDefinitionNode;
  readonly access: AccessNeeds;
  /** What to ask subgraphs for; nothing for introspection and `__typename` alone. */
  readonly steps: Step | undefined;
  readonly stream: StreamPlan | undefined;
  /** The part the router answers from its own schema. */
  readonly introspection: DocumentNode | undefined;
  /** Whether a subscription with these variables says after which cursor it starts. */
  startsAfterCursor(variables: Readonly<Record<string, unknown>>): boolean;
  /** What it costs with these variables, points. @throws BAD_QUERY without the one slicing argument a field asks for */
  cost(variables: Readonly<Record<string, unknown>>): number;
  /** How its answers are shown. */
  readonly projection: Projection;
  readonly sizeBytes: number;
}

export interface PlanningOptions {
  supergraph: Supergraph;
  planner: Planner;
  /** Fields of which no access rule speaks are nobody's. */
  enforceAccess: boolean;
}

/** What else than its text decides how an operation is planned. */
export interface Deciding {
  /** Values of the variables in its conditions. */
  conditions: Conditions;
  /** In [0, 100): which of the `percent(n)` labels of overrides are on. */
  draw: number;
}

/**
 * Plans one operation of a valid document, as it is decided.
 * @throws FleetError BAD_QUERY when it cannot be planned
 */
export async function planOperation(
  { document, definition, parts }: { document: DocumentNode; definition: OperationDefinitionNode; parts: number },
  { conditions, draw }: Deciding,
  options: PlanningOptions,
): Promise<PlannedOperation> {
  const { supergraph, enforceAccess } = options;
  const { schema, access: rules, plainNames } = supergraph;
  const fragments = fragmentsOf(document);
  const reduction = new Reduction(schema, fragments, {
    conditions,
    withTypenames: enforceAccess || !rules.isEmpty,
    plainNames,
  });
  const reduced = reduction.reduce(definition);
  const planned = reduced ? await planReduced(reduced, reduction, options.planner, draw) : { weight: 0 };
  const root = selectionsOf(definition.selectionSet, fragments);
  return {
    kind: definition.operation,
    name: definition.name?.value,
    rootFields: rootFieldsOf(root),
    document,
    definition,
    access: accessNeeds(definition, { schema, fragments, conditions, rules, isDenyByDefault: enforceAccess }),
    steps: planned.steps,
    stream: planned.stream,
    introspection: introspectionOf(definition, fragments, document),
    startsAfterCursor: (variables) => startsAfterCursor(root, variables),
    cost: operationCost(definition, { schema, fragments, conditions, rules: supergraph.costs }),
    projection: projectionOf(definition, { schema, fragments, conditions, plainNames }),
    // Measured (test/router/core/cache-heap.test.ts): what is kept for a part of the document, and for the plan's text.
    sizeBytes: 4_000 + 200 * parts + 6 * planned.weight,
  };
}

interface Planned {
  steps?: Step | undefined;
  stream?: StreamPlan | undefined;
  weight: number;
}

async function planReduced(
  operation: OperationDefinitionNode,
  reduction: Reduction,
  planner: Planner,
  draw: number,
): Promise<Planned> {
  const planOf = async (each: OperationDefinitionNode) => {
    const node = await planner.plan(print(reduction.documentOf(each)), each.name?.value, draw);
    if (!node) throw new FleetError('BAD_QUERY', 'the router found no way to answer this operation');
    return { node, weight: JSON.stringify(node).length };
  };
  const whole = await planOf(operation);
  if (operation.operation === 'subscription') return { stream: streamPlanOf(whole.node), weight: whole.weight };
  const steps = stepsOf(whole.node);
  const isMixed =
    operation.operation === 'mutation' && someStep(steps, (step) => step.kind === 'entities' || !step.isMutation);
  const parts = isMixed ? reduction.perRootKey(operation) : [];
  if (parts.length < 2) {
    const isSerial = operation.operation === 'mutation' && !isMixed && steps.kind === 'sequence';
    return { steps: isSerial ? serialOf(steps.steps) : steps, weight: whole.weight };
  }
  // A mutation is done, and all that is selected of it is read, before the next one starts.
  const plans: Awaited<ReturnType<typeof planOf>>[] = [];
  for (const part of parts) plans.push(await planOf(part));
  return {
    steps: serialOf(plans.map(({ node }) => stepsOf(node))),
    weight: plans.reduce((sum, { weight }) => sum + weight, 0),
  };
}

export function fragmentsOf(document: DocumentNode): Fragments {
  return new Map(
    document.definitions
      .filter((definition): definition is FragmentDefinitionNode => definition.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  );
}

/** Every selection of one place, those in fragments too: each fragment once. */
export function selectionsOf(root: SelectionSetNode, fragments: Fragments): readonly SelectionNode[] {
  const all: SelectionNode[] = [];
  const seen = new Set<string>();
  const walk = (set: SelectionSetNode): void => {
    for (const selection of set.selections) {
      all.push(selection);
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        walk(selection.selectionSet);
      } else if (selection.kind === Kind.FRAGMENT_SPREAD && !seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment) walk(fragment.selectionSet);
      }
    }
  };
  walk(root);
  return all;
}

function rootFieldsOf(root: readonly SelectionNode[]): string[] {
  return [...new Set(root.flatMap((each) => (each.kind === Kind.FIELD ? [each.name.value] : [])))];
}

/** By the convention of change streams: the argument `after` of the root field (STREAMS.md 2). */
function startsAfterCursor(root: readonly SelectionNode[], variables: Readonly<Record<string, unknown>>): boolean {
  return root.some((field) => {
    if (field.kind !== Kind.FIELD) return false;
    const after = field.arguments?.find((argument) => argument.name.value === 'after')?.value;
    if (!after || after.kind === Kind.NULL) return false;
    return after.kind !== Kind.VARIABLE || (variables[after.name.value] ?? null) !== null;
  });
}
