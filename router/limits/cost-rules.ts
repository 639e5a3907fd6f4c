import { type DirectiveNode, type DocumentNode, type FieldDefinitionNode, Kind, valueFromASTUntyped } from 'graphql';
import { namesByLink } from '../supergraph/directive-names.ts';

/** What `@listSize` says of a field. */
export interface ListSize {
  assumedSize?: number | undefined;
  /** Arguments that say how long the list is. */
  slicingArguments: readonly string[];
  /** Fields of the returned object that are the list; none: the field itself is. */
  sizedFields: readonly string[];
  requireOneSlicingArgument: boolean;
}

const COST_SPEC = /^https:\/\/specs\.apollo\.dev\/cost(\/|$)/;

/**
 * What a supergraph says about costs: `@cost` and `@listSize` (IBM's GraphQL cost specification, as Federation 2.9 composes
 * it), by the names its `@link` gives them.
 */
export class CostRules {
  readonly #weights = new Map<string, number>();
  readonly #sizes = new Map<string, ListSize>();

  constructor(supergraph: DocumentNode) {
    const names = directiveNames(supergraph);
    for (const definition of supergraph.definitions) {
      if (!('name' in definition) || !definition.name) continue;
      const type = definition.name.value;
      if ('directives' in definition) this.#weigh(type, definition.directives, names.cost);
      if (!('fields' in definition)) continue;
      for (const field of definition.fields ?? []) {
        const place = `${type}.${field.name.value}`;
        this.#weigh(place, field.directives, names.cost);
        if (field.kind === Kind.FIELD_DEFINITION) this.#readField(place, field, names);
      }
    }
  }

  /** The weight of a type, `Type.field` or `Type.field.argument`; undefined when nobody gave it one. */
  weightOf(place: string): number | undefined {
    return this.#weights.get(place);
  }

  /** @param place `Type.field` */
  sizeOf(place: string): ListSize | undefined {
    return this.#sizes.get(place);
  }

  #readField(place: string, field: FieldDefinitionNode, names: { cost: string; listSize: string }): void {
    for (const argument of field.arguments ?? []) {
      this.#weigh(`${place}.${argument.name.value}`, argument.directives, names.cost);
    }
    const size = field.directives?.find((directive) => directive.name.value === names.listSize);
    if (size) this.#sizes.set(place, listSizeOf(size));
  }

  #weigh(place: string, directives: readonly DirectiveNode[] | undefined, name: string): void {
    const cost = directives?.find((directive) => directive.name.value === name);
    const weight = cost && Number(argumentsOf(cost)['weight']);
    if (weight !== undefined && Number.isFinite(weight)) this.#weights.set(place, weight);
  }
}

function listSizeOf(directive: DirectiveNode): ListSize {
  const { assumedSize, slicingArguments, sizedFields, requireOneSlicingArgument } = argumentsOf(directive);
  const slicing = (slicingArguments as string[] | null | undefined) ?? [];
  return {
    ...(typeof assumedSize === 'number' ? { assumedSize } : {}),
    slicingArguments: slicing,
    sizedFields: (sizedFields as string[] | null | undefined) ?? [],
    requireOneSlicingArgument: slicing.length > 0 && requireOneSlicingArgument !== false,
  };
}

/** What the directives are called here. */
function directiveNames(supergraph: DocumentNode): { cost: string; listSize: string } {
  const { cost = 'cost', listSize = 'listSize' } = namesByLink(supergraph, COST_SPEC, ['cost', 'listSize']);
  return { cost, listSize };
}

function argumentsOf(directive: DirectiveNode): Record<string, unknown> {
  return Object.fromEntries(
    (directive.arguments ?? []).map((argument) => [argument.name.value, valueFromASTUntyped(argument.value)]),
  );
}
