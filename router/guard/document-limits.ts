import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
  visit,
} from 'graphql';
import { FleetError } from '../../lib/errors.ts';
import { ByteCache } from '../plan/byte-cache.ts';
import { parseBounded } from './document-text.ts';
import { introspectionCost } from './introspection-cost.ts';

/** How large an operation may be, judged before it is validated: validation itself is what a hostile one makes dear. */
export interface DocumentLimits {
  /** Of the text, blanks and comments as well. */
  characters: number;
  tokens: number;
  /** Fields within fields, fragments laid out. */
  depth: number;
  aliases: number;
  directives: number;
  rootFields: number;
  /** Selections once every fragment spread is laid out. */
  selections: number;
  /** Pairs of fields with one response name, by the size of their arguments, and of fragments, that validation compares. */
  overlaps: number;
  /** Parts of the schema that introspection would tell, by estimate; what tools send has some 50,000. */
  introspection: number;
}

export const DOCUMENT_LIMITS: DocumentLimits = {
  characters: 100_000,
  tokens: 5_000,
  depth: 20,
  aliases: 200,
  directives: 200,
  rootFields: 100,
  selections: 10_000,
  overlaps: 10_000,
  introspection: 150_000,
};

const REMEMBERED_BYTES = 4_000_000;
/** So many characters of a text take as long to compare as a value does. */
const CHARACTERS_A_PART = 50;

/** Turns away operations that are too large, and remembers which texts were not. */
export class DocumentGate {
  readonly #passed = new ByteCache<true>(REMEMBERED_BYTES);

  constructor(private readonly limits: DocumentLimits) {}

  /** @throws QUERY_TOO_LARGE */
  check(text: string): void {
    if (this.#passed.get(text)) return;
    refuseAbove('characters', text.length, this.limits.characters);
    const document = parseBounded(text, this.limits.tokens);
    if (document) checkDocument(document, this.limits);
    this.#passed.set(text, true, 2 * text.length + 100);
  }
}

/** @throws QUERY_TOO_LARGE naming the limit that is passed */
export function checkDocument(document: DocumentNode, limits: DocumentLimits): void {
  let aliases = 0;
  let directives = 0;
  visit(document, {
    Field: (field) => {
      if (field.alias) aliases += 1;
    },
    Directive: () => {
      directives += 1;
    },
  });
  refuseAbove('aliases', aliases, limits.aliases);
  refuseAbove('directives', directives, limits.directives);
  const fragments = new Map(
    document.definitions
      .filter((definition): definition is FragmentDefinitionNode => definition.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  );
  const expansion = new Expansion(fragments, limits);
  // Also each fragment by itself: one that no operation reaches is validated all the same.
  for (const definition of document.definitions) {
    if ('selectionSet' in definition) expansion.check(definition);
  }
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    refuseAbove('parts of introspection', introspectionCost(definition, fragments), limits.introspection);
  }
}

/** Lays out a document's fragments and counts as it goes, so that it stops as soon as one limit is passed. */
class Expansion {
  #selections = 0;
  #overlaps = 0;

  constructor(
    private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    private readonly limits: DocumentLimits,
  ) {}

  check(definition: OperationDefinitionNode | FragmentDefinitionNode): void {
    const roots = this.#below([definition.selectionSet]);
    if (definition.kind === Kind.OPERATION_DEFINITION) {
      refuseAbove('root fields', roots.size, this.limits.rootFields);
    }
    this.#descend(roots, 1);
  }

  #descend(fields: Map<string, FieldNode[]>, depth: number): void {
    refuseAbove('fields within fields', depth, this.limits.depth);
    for (const same of fields.values()) {
      if (same.length > 1) this.#overlap(((same.length - 1) * sum(same.map(weightOf))) / 2);
      const sets = same.flatMap(({ selectionSet }) => (selectionSet ? [selectionSet] : []));
      if (sets.length > 0) this.#descend(this.#below(sets), depth + 1);
    }
  }

  #overlap(pairs: number): void {
    this.#overlaps += pairs;
    refuseAbove('pairs of fields or fragments to compare', this.#overlaps, this.limits.overlaps);
  }

  /** Response name → the fields that bear it, of selection sets that are merged into one. */
  #below(sets: readonly SelectionSetNode[]): Map<string, FieldNode[]> {
    const fields = new Map<string, FieldNode[]>();
    const spread = new Set<string>();
    for (const set of sets) this.#collect(set, fields, new Set(), spread);
    this.#overlap((spread.size * (spread.size - 1)) / 2);
    return fields;
  }

  /** @param spread names of all fragments met on the way */
  #collect(set: SelectionSetNode, into: Map<string, FieldNode[]>, under: Set<string>, spread: Set<string>): void {
    for (const selection of set.selections) {
      this.#selections += 1;
      refuseAbove('selections', this.#selections, this.limits.selections);
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value;
        const same = into.get(name);
        if (same) same.push(selection);
        else into.set(name, [selection]);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        this.#collect(selection.selectionSet, into, under, spread);
      } else {
        this.#spread(selection.name.value, into, under, spread);
      }
    }
  }

  /** A fragment within itself is laid out once here; validation says that it must not be. */
  #spread(name: string, into: Map<string, FieldNode[]>, under: Set<string>, spread: Set<string>): void {
    // One that is not there is compared with all others just the same.
    spread.add(name);
    const fragment = this.fragments.get(name);
    if (!fragment || under.has(name)) return;
    under.add(name);
    this.#collect(fragment.selectionSet, into, under, spread);
    under.delete(name);
  }
}

/** What comparing a field's arguments with another's takes, beside its name. */
function weightOf({ arguments: given }: FieldNode): number {
  return 1 + sum((given ?? []).map(({ value }) => valueWeight(value)));
}

function valueWeight(value: ValueNode): number {
  if (value.kind === Kind.STRING) return 1 + value.value.length / CHARACTERS_A_PART;
  if (value.kind === Kind.LIST) return 1 + sum(value.values.map(valueWeight));
  if (value.kind === Kind.OBJECT) return 1 + sum(value.fields.map((field) => 1 + valueWeight(field.value)));
  return 1;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function refuseAbove(what: string, found: number, limit: number): void {
  if (found > limit) throw new FleetError('QUERY_TOO_LARGE', `an operation has at most ${limit} ${what}`);
}
