import { type DocumentNode, Kind, visit } from 'graphql';

const PERCENT = /^percent\((\d{1,3}(?:\.\d{1,8})?)\)$/;

/** The share of operations for which an override's label is on, percent; undefined for a label that is on or off by its name. */
export function percentOf(label: string): number | undefined {
  const percent = PERCENT.exec(label)?.[1];
  return percent === undefined ? undefined : Number(percent);
}

/** Labels of a supergraph's progressive overrides (`@override(label:)`), each once. */
export function overrideLabelsIn(supergraph: DocumentNode): readonly string[] {
  const labels = new Set<string>();
  visit(supergraph, {
    Directive({ name, arguments: given = [] }) {
      if (name.value !== 'join__field') return;
      const value = given.find((argument) => argument.name.value === 'overrideLabel')?.value;
      if (value?.kind === Kind.STRING) labels.add(value.value);
    },
  });
  return [...labels];
}

/**
 * Which of the fields that move between subgraphs by and by an operation takes from their new place. One number is drawn
 * for all of them, and what lies between the same two shares is planned alike.
 */
export class OverrideShares {
  /** In percent, ascending. */
  readonly #shares: readonly number[];

  /** @param labels of a supergraph's progressive overrides */
  constructor(labels: readonly string[]) {
    const shares = labels.flatMap((label) => percentOf(label) ?? []);
    this.#shares = [...new Set(shares)].sort((one, other) => one - other);
  }

  get isEmpty(): boolean {
    return this.#shares.length === 0;
  }

  /**
   * What plans are remembered by; empty for a supergraph without such fields.
   * @param draw in [0, 100)
   */
  placeOf(draw: number): string {
    return this.isEmpty ? '' : `${this.#shares.filter((share) => share <= draw).length}%`;
  }
}
