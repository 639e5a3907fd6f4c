import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { FleetError } from '../../lib/errors.ts';
import { ByteCache } from '../plan/byte-cache.ts';
import { parseBounded } from './document-text.ts';

/** How large an operation may be, judged before it is validated: validation itself is what a hostile one makes dear. */
export interface DocumentLimits {
  tokens: number;
  /** Fields within fields, fragments laid out. */
  depth: number;
  aliases: number;
  directives: number;
  rootFields: number;
  /** Selections once every fragment spread is laid out. */
  selections: number;
  /** Pairs of fields with one response name that have to be compared with each other. */
  overlaps: number;
}

export const DOCUMENT_LIMITS: DocumentLimits = {
  tokens: 5_000,
  depth: 20,
  aliases: 200,
  directives: 200,
  rootFields: 100,
  selections: 10_000,
  overlaps: 20_000,
};

const REMEMBERED_BYTES = 4_000_000;

/** Turns away operations that are too large, and remembers which texts were not. */
export class DocumentGate {
  readonly #passed = new ByteCache<true>(REMEMBERED_BYTES);

  constructor(private readonly limits: DocumentLimits) {}

  /** @throws QUERY_TOO_LARGE */
  check(text: string): void {
    if (this.#passed.get(text)) return;
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
      this.#overlaps += (same.length * (same.length - 1)) / 2;
      refuseAbove('pairs of fields with one name', this.#overlaps, this.limits.overlaps);
      const sets = same.flatMap(({ selectionSet }) => (selectionSet ? [selectionSet] : []));
      if (sets.length > 0) this.#descend(this.#below(sets), depth + 1);
    }
  }

  /** Response name → the fields that bear it, of selection sets that are merged into one. */
  #below(sets: readonly SelectionSetNode[]): Map<string, FieldNode[]> {
    const fields = new Map<string, FieldNode[]>();
    for (const set of sets) this.#collect(set, fields, new Set());
    return fields;
  }

  #collect(set: SelectionSetNode, into: Map<string, FieldNode[]>, under: Set<string>): void {
    for (const selection of set.selections) {
      this.#selections += 1;
      refuseAbove('selections', this.#selections, this.limits.selections);
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value;
        const same = into.get(name);
        if (same) same.push(selection);
        else into.set(name, [selection]);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        this.#collect(selection.selectionSet, into, under);
      } else {
        this.#spread(selection.name.value, into, under);
      }
    }
  }

  /** A fragment within itself is laid out once here; validation says that it must not be. */
  #spread(name: string, into: Map<string, FieldNode[]>, under: Set<string>): void {
    const fragment = this.fragments.get(name);
    if (!fragment || under.has(name)) return;
    under.add(name);
    this.#collect(fragment.selectionSet, into, under);
    under.delete(name);
  }
}

function refuseAbove(what: string, found: number, limit: number): void {
  if (found > limit) throw new FleetError('QUERY_TOO_LARGE', `an operation has at most ${limit} ${what}`);
}
