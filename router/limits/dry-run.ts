import {
  type DocumentNode,
  type FieldNode,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionNode,
  type SelectionSetNode,
  valueFromASTUntyped,
  visit,
} from 'graphql';
import type { GraphRequest, Prepared } from '../engine.ts';
import { type Conditions, isIncluded } from '../plan/conditions.ts';
import { fragmentsOf } from '../plan/operation.ts';
import type { Fragments } from '../plan/reduction.ts';

/** The root field by which a client asks what its operation is charged. */
const FIELD = 'rateLimit';

/** An operation of which only `rateLimit` is answered. */
export interface DryRun {
  request: GraphRequest;
  /** Response keys in the operation's order, all of them. */
  keys: readonly string[];
}

/** What is left of an operation that asks for `rateLimit(dryRun: true)`; undefined when it does not. */
export function dryRunOf({ kind, rootFields, document, name, variables }: Prepared): DryRun | undefined {
  if (kind !== 'query' || !rootFields.includes(FIELD)) return undefined;
  const operation = getOperationAST(document, name) as OperationDefinitionNode;
  const conditions = variables as Conditions;
  const fields = rootFieldsIn(operation.selectionSet, fragmentsOf(document), conditions);
  const asked = fields.filter((field) => field.name.value === FIELD);
  if (!asked.some((field) => isDry(field, variables))) return undefined;
  const reduced = reductionOf(document, operation, asked);
  return {
    request: { query: reduced.query, variables: pick(variables, reduced.variables) },
    keys: [...new Set(fields.map((field) => field.alias?.value ?? field.name.value))],
  };
}

/** The answer of the whole operation: what was not run is null. */
export function dryAnswer(keys: readonly string[], data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(keys.map((key) => [key, data[key] ?? null]));
}

function isDry(field: FieldNode, variables: Prepared['variables']): boolean {
  const given = field.arguments?.find((argument) => argument.name.value === 'dryRun')?.value;
  return given !== undefined && valueFromASTUntyped(given, { ...variables }) === true;
}

function rootFieldsIn(set: SelectionSetNode, fragments: Fragments, conditions: Conditions): FieldNode[] {
  return set.selections.flatMap((selection: SelectionNode): FieldNode[] => {
    if (!isIncluded(selection, conditions)) return [];
    if (selection.kind === Kind.FIELD) return [selection];
    const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
    return inner ? rootFieldsIn(inner.selectionSet, fragments, conditions) : [];
  });
}

function reductionOf(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  selections: readonly FieldNode[],
): { query: string; variables: ReadonlySet<string> } {
  const variables = new Set<string>();
  const spreads = new Set<string>();
  const note = {
    Variable: ({ name }: { name: { value: string } }) => void variables.add(name.value),
    FragmentSpread: ({ name }: { name: { value: string } }) => void spreads.add(name.value),
  };
  for (const selection of selections) visit(selection, note);
  const fragments = fragmentsOf(document);
  // A set goes on to what is added to it while it is walked.
  for (const name of spreads) {
    const fragment = fragments.get(name);
    if (fragment) visit(fragment, note);
  }
  const variableDefinitions = operation.variableDefinitions?.filter(({ variable }) =>
    variables.has(variable.name.value),
  );
  const reduced = { ...operation, variableDefinitions, selectionSet: { kind: Kind.SELECTION_SET, selections } };
  const used = [...fragments.values()].filter((fragment) => spreads.has(fragment.name.value));
  return { query: [reduced as OperationDefinitionNode, ...used].map(print).join('\n'), variables };
}

function pick(values: Readonly<Record<string, unknown>>, names: ReadonlySet<string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.has(name)));
}
