import { type DocumentNode, Kind, valueFromASTUntyped } from 'graphql';

interface Import {
  name: string;
  as?: string;
}

/**
 * What a specification's directives are called in this supergraph: `@link` may rename them, all (`as`) or one (`import`).
 * @returns by their own names; a name that no link of the specification speaks of is not there
 */
export function namesByLink<Name extends string>(
  supergraph: DocumentNode,
  specification: RegExp,
  directives: readonly Name[],
): Partial<Record<Name, string>> {
  const names: Partial<Record<Name, string>> = {};
  for (const definition of supergraph.definitions) {
    if (definition.kind !== Kind.SCHEMA_DEFINITION && definition.kind !== Kind.SCHEMA_EXTENSION) continue;
    for (const { name, arguments: given = [] } of definition.directives ?? []) {
      const {
        url,
        as,
        import: imported,
      } = Object.fromEntries(given.map((argument) => [argument.name.value, valueFromASTUntyped(argument.value)]));
      if (name.value !== 'link' || !specification.test(String(url))) continue;
      for (const directive of directives) {
        // The directive of the specification's own name stands for it alone; others have it before theirs.
        if (typeof as === 'string') names[directive] = directive === directives[0] ? as : `${as}__${directive}`;
      }
      for (const each of (imported as (string | Import)[] | undefined) ?? []) {
        const { name: own, as: alias = own }: Import = typeof each === 'string' ? { name: each } : each;
        const directive = directives.find((known) => own === `@${known}`);
        if (directive) names[directive] = alias.slice(1);
      }
    }
  }
  return names;
}
