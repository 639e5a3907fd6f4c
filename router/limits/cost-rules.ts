import { type DirectiveNode, type DocumentNode, Kind, valueFromASTUntyped } from 'graphql';
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

/** What a supergraph says about costs, by place. */
export interface CostTables {
  /** By type, `Type.field` or `Type.field.argument`. */
  readonly weights: ReadonlyMap<string, number>;
  /** By `Type.field`. */
  readonly sizes: ReadonlyMap<string, ListSize>;
}

/**
 * Reads what a supergraph says about costs: `@cost` and `@listSize` (IBM's GraphQL cost specification, as Federation 2.9
 * composes it), by the names its `@link` gives them.
 */
export function costTables(supergraph: DocumentNode): CostTables {
  const weights = new Map<string, number>();
  const sizes = new Map<string, ListSize>();
  const names = directiveNames(supergraph);
  const weigh = (place: string, directives: readonly DirectiveNode[] | undefined) => {
    const cost = directives?.find((directive) => directive.name.value === names.cost);
    const weight = cost && Number(argumentsOf(cost)['weight']);
    if (weight !== undefined && Number.isFinite(weight)) weights.set(place, weight);
  };
  for (const definition of supergraph.definitions) {
    if (!('name' in definition) || !definition.name) continue;
    const type = definition.name.value;
    if ('directives' in definition) weigh(type, definition.directives);
    if (!('fields' in definition)) continue;
    for (const field of definition.fields ?? []) {
      const place = `${type}.${field.name.value}`;
      weigh(place, field.directives);
      if (field.kind !== Kind.FIELD_DEFINITION) continue;
      for (const argument of field.arguments ?? []) weigh(`${place}.${argument.name.value}`, argument.directives);
      const size = field.directives?.find((directive) => directive.name.value === names.listSize);
      if (size) sizes.set(place, listSizeOf(size));
    }
  }
  return { weights, sizes };
}

/** What a supergraph says about costs. */
export class CostRules {
  readonly #tables: CostTables;

  // No property in a parameter: threads that read supergraphs may run this with its types only stripped.
  constructor(tables: CostTables) {
    this.#tables = tables;
  }

  /** The weight of a type, `Type.field` or `Type.field.argument`; undefined when nobody gave it one. */
  weightOf(place: string): number | undefined {
    return this.#tables.weights.get(place);
  }

  /** @param place `Type.field` */
  sizeOf(place: string): ListSize | undefined {
    return this.#tables.sizes.get(place);
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
