import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

/** One subgraph as composition takes it. */
export interface SubgraphSource {
  name: string;
  /** http://host:port/graphql; goes into the supergraph. */
  url: string;
  /** Its Federation 2 schema. */
  sdl: string;
}

/**
 * Hints that say nothing a schema's author could act on; every other hint stops composition, because each of them is a
 * type that differs between subgraphs and would silently lose a field, a value or a description.
 */
const NOISE: ReadonlySet<string> = new Set([
  // An enum that only one subgraph's internals mention.
  'UNUSED_ENUM_TYPE',
  // Reports that a composed directive was composed.
  'DIRECTIVE_COMPOSITION_INFO',
  'MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS',
  // A key stub without @key beside the entity: how one house mentions another's type.
  'INCONSISTENT_ENTITY',
  // A move from one subgraph to another that is under way on purpose.
  'OVERRIDE_MIGRATION_IN_PROGRESS',
]);

/**
 * Composes subgraphs into one supergraph.
 * @returns the supergraph's SDL
 * @throws Error that lists every composition error and every hint that is not noise, one a line
 */
export function composeSupergraph(subgraphs: readonly SubgraphSource[]): string {
  const result = composeServices(subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) })));
  const errors = (result.errors ?? []).map(
    (error) => `${String(error.extensions['code'] ?? 'ERROR')}: ${error.message}`,
  );
  const hints = (result.hints ?? [])
    .filter((hint) => !NOISE.has(hint.definition.code))
    .map((hint) => `${hint.definition.code}: ${hint.message}`);
  if (errors.length > 0 || hints.length > 0) {
    throw new Error(`the subgraphs do not compose:\n${[...errors, ...hints].join('\n')}`);
  }
  return result.supergraphSdl as string;
}
