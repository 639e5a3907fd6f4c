import { type FragmentDefinitionNode, Kind, type OperationDefinitionNode, type SelectionNode, visit } from 'graphql';

/** Values of the Boolean variables that decide `@skip` and `@include`. */
export type Conditions = Readonly<Record<string, boolean>>;

const DECIDING: ReadonlySet<string> = new Set(['skip', 'include']);

/** Whether a selection is part of the operation under these conditions. */
export function isIncluded(selection: SelectionNode, conditions: Conditions): boolean {
  return (selection.directives ?? []).every((directive) => {
    const name = directive.name.value;
    if (!DECIDING.has(name)) return true;
    const value = directive.arguments?.find((argument) => argument.name.value === 'if')?.value;
    const isMet =
      value?.kind === Kind.VARIABLE
        ? conditions[value.name.value] === true
        : value?.kind === Kind.BOOLEAN && value.value;
    return isMet === (name === 'include');
  });
}

/** The selection without directives that were decided. */
export function withoutConditions<N extends SelectionNode>(selection: N): N {
  const others = selection.directives?.filter((directive) => !DECIDING.has(directive.name.value)) ?? [];
  return { ...selection, directives: others };
}

/** Names of the variables in `@skip` and `@include`. */
export function decidingVariables(
  definitions: Iterable<OperationDefinitionNode | FragmentDefinitionNode>,
): readonly string[] {
  const names = new Set<string>();
  for (const definition of definitions) {
    visit(definition, {
      Directive(directive) {
        if (!DECIDING.has(directive.name.value)) return;
        for (const { value } of directive.arguments ?? []) {
          if (value.kind === Kind.VARIABLE) names.add(value.name.value);
        }
      },
    });
  }
  return [...names].sort();
}
