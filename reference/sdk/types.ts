import { code } from '../markdown.ts';
import type { Exported } from './exports.ts';

/** Where each type that the SDK gives out is told: its name → page and anchor. */
export type Places = ReadonlyMap<string, string>;

/** Names that a declaration binds itself: its type parameters. */
function boundIn(signature: string): Set<string> {
  const bound = signature.matchAll(/[<,]\s*(?:const |in |out )*([A-Z]\w*)(?=\s*(?:[,>=]|extends\b))|\binfer (\w+)/g);
  return new Set([...bound].map(([, parameter, inferred]) => (parameter ?? inferred) as string));
}

/** Types that a signature names, in their order; not its own name, nor what stands in quotes. */
export function typesIn(signature: string): string[] {
  const bare = signature.replace(/'[^']*'/g, '').replace(/^(class|interface) .*$/s, '');
  return [...new Set(bare.match(/\b[A-Z]\w+\b/g) ?? [])];
}

/** Links to the types that a signature names, but for the one it stands under. */
export function typeLinks(signature: string, under: string, page: string, places: Places): string {
  const links = typesIn(signature).flatMap((name) => {
    const place = name === under ? undefined : places.get(name);
    return place ? [`[${code(name)}](${place.startsWith(`${page}#`) ? place.slice(page.length) : place})`] : [];
  });
  return links.join(' ');
}

/**
 * Types of the SDK that what it gives out names, and that nobody can look up or import.
 * @param declared types that the SDK declares
 * @returns one line each, with file and symbol
 */
export function unnamedTypes(exported: readonly Exported[], declared: ReadonlySet<string>, places: Places): string[] {
  return exported.flatMap(({ name, signature, members, file }) => {
    const bound = boundIn(signature);
    const parts = [
      { at: name, text: signature },
      ...members.map((each) => ({ at: `${name}.${each.name}`, text: each.signature })),
    ];
    return parts.flatMap(({ at, text }) => {
      const own = boundIn(text);
      return typesIn(text)
        .filter((type) => declared.has(type) && !places.has(type) && !bound.has(type) && !own.has(type))
        .map((type) => `${file}: ${at} names the type ${type}, which no module gives out`);
    });
  });
}
