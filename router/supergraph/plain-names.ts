import { type DocumentNode, Kind, parse, type StringValueNode, visit } from 'graphql';

/** Under which a client's field goes whose own key a plan may need. */
const ASIDE = '__r';
/** Every object has these already, so that nothing could be told from what was answered. */
const INHERITED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

/**
 * Names that plans ask for as they are: what keys and `@requires` name. A client's field under such a name that may be
 * another, by its alias or its arguments, would be taken for it, or it for the client's.
 */
export class PlainNames {
  readonly #names = new Set(['__typename']);
  readonly #taking = new Set<string>();

  constructor(supergraph: DocumentNode) {
    visit(supergraph, {
      Directive: ({ name, arguments: given = [] }) => {
        if (name.value !== 'join__field' && name.value !== 'join__type') return;
        for (const { name, value } of given) {
          if (value.kind === Kind.STRING && (name.value === 'requires' || name.value === 'key')) this.#note(value);
        }
      },
      FieldDefinition: ({ name, arguments: taken = [] }) => {
        if (taken.length > 0) this.#taking.add(name.value);
      },
    });
  }

  /** The key under which subgraphs are asked for a client's field. */
  keyFor(field: string, key: string): string {
    if (INHERITED.has(key)) return key + ASIDE;
    return this.#names.has(key) && (field !== key || this.#taking.has(key)) ? key + ASIDE : key;
  }

  #note({ value }: StringValueNode): void {
    visit(parse(`{ ${value} }`, { noLocation: true }), {
      Field: ({ name }) => {
        this.#names.add(name.value);
      },
    });
  }
}
