import { type DocumentNode, Kind, parse, type StringValueNode, visit } from 'graphql';

/** Under which a client's field goes whose own key a plan may need. */
const ASIDE = '__r';
/** Every object has these already, so that nothing could be told from what was answered. */
const INHERITED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

/** Names that plans ask for as they are, and those of fields that take arguments. */
export interface NameTables {
  readonly names: ReadonlySet<string>;
  readonly taking: ReadonlySet<string>;
}

/** Reads what keys and `@requires` of a supergraph name. */
export function nameTables(supergraph: DocumentNode): NameTables {
  const names = new Set(['__typename']);
  const taking = new Set<string>();
  const note = ({ value }: StringValueNode) => {
    visit(parse(`{ ${value} }`, { noLocation: true }), {
      Field: ({ name }) => {
        names.add(name.value);
      },
    });
  };
  visit(supergraph, {
    Directive: ({ name, arguments: given = [] }) => {
      if (name.value !== 'join__field' && name.value !== 'join__type') return;
      for (const { name, value } of given) {
        if (value.kind === Kind.STRING && (name.value === 'requires' || name.value === 'key')) note(value);
      }
    },
    FieldDefinition: ({ name, arguments: taken = [] }) => {
      if (taken.length > 0) taking.add(name.value);
    },
  });
  return { names, taking };
}

/**
 * Names that plans ask for as they are: what keys and `@requires` name. A client's field under such a name that may be
 * another, by its alias or its arguments, would be taken for it, or it for the client's.
 */
export class PlainNames {
  readonly #tables: NameTables;

  // No property in a parameter: threads that read supergraphs may run this with its types only stripped.
  constructor(tables: NameTables) {
    this.#tables = tables;
  }

  /** The key under which subgraphs are asked for a client's field. */
  keyFor(field: string, key: string): string {
    if (INHERITED.has(key)) return key + ASIDE;
    const { names, taking } = this.#tables;
    return names.has(key) && (field !== key || taking.has(key)) ? key + ASIDE : key;
  }
}
