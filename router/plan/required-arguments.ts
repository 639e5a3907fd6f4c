import { type DocumentNode, Kind, parse, print, visit } from 'graphql';

/**
 * Fields that some `@requires` asks for with arguments. Apollo's planner reads such a field from under its plain name, so
 * a client that asks for it with other arguments, or a second `@requires` that does, silently changes what is required.
 */
export class RequiredArguments {
  /** Field name → the texts of the arguments it is required with. */
  readonly #texts = new Map<string, Set<string>>();

  constructor(supergraph: DocumentNode) {
    const note = (name: string, text: string) => this.#texts.set(name, (this.#texts.get(name) ?? new Set()).add(text));
    visit(supergraph, {
      Directive({ name, arguments: given = [] }) {
        if (name.value !== 'join__field') return;
        const requires = given.find((argument) => argument.name.value === 'requires')?.value;
        if (requires?.kind !== Kind.STRING) return;
        visit(parse(`{ ${requires.value} }`, { noLocation: true }), {
          Field(field) {
            note(field.name.value, (field.arguments ?? []).map(print).join(', '));
          },
        });
      },
    });
  }

  /** The field that this plan may have mixed up; undefined when it cannot have. */
  mixedUp(document: DocumentNode, required: ReadonlySet<string>): string | undefined {
    if (this.#texts.size === 0) return undefined;
    const asked = new Set<string>();
    visit(document, { Field: ({ alias, name }) => void asked.add(alias?.value ?? name.value) });
    return [...this.#texts].find(
      ([name, texts]) => required.has(name) && (texts.size > 1 || (asked.has(name) && !texts.has(''))),
    )?.[0];
  }
}
