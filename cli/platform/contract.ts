import { printSubgraphSchema } from '@apollo/subgraph';
import { loadAccessTable } from '../../lib/access.ts';
import { systemClock } from '../../lib/clock.ts';
import { houseForSchema } from '../../lib/house.ts';
import { silentLog } from '../../lib/log.ts';
import { loadSettings } from '../../lib/settings/index.ts';
import { composeSupergraph } from '../../router/compose.ts';
import { OWN_SUBGRAPH, ownSubgraphSdl } from '../../router/own/sdl.ts';
import { readSupergraph } from '../../router/supergraph/supergraph.ts';
import { HOUSES } from './registry.ts';
import { packageRoot } from './surroundings.ts';

/** The SDL of each house, from the code alone. */
export async function houseSchemas(): Promise<Record<string, string>> {
  const access = loadAccessTable(packageRoot());
  const entries = Object.entries(HOUSES).map(async ([name, { make }]) => {
    const { schema } = await make(houseForSchema(name, loadSettings({}), access, systemClock, silentLog));
    return [name, `${printSubgraphSchema(schema)}\n`] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Types that a house lists as nodes: the router's `node(id)` may give any of them. */
function nodeTypesOf(schemas: Record<string, string>): string[] {
  const names = Object.values(schemas).flatMap((sdl) =>
    [...sdl.matchAll(/^type (\w+) implements [^{@]*\bNode\b/gm)].map((match) => match[1] as string),
  );
  return [...new Set(names)].sort();
}

/** The contract as text: file name under schema/ → SDL. Needs no database. */
export async function contract(): Promise<Record<string, string>> {
  const schemas = await houseSchemas();
  const own = ownSubgraphSdl(nodeTypesOf(schemas), loadAccessTable(packageRoot()));
  const all: Record<string, string> = { ...schemas, [OWN_SUBGRAPH]: own };
  const sources = Object.entries(all).map(([name, sdl]) => ({ name, sdl, url: `http://${name}.invalid/graphql` }));
  const supergraph = composeSupergraph(sources);
  const files = Object.entries(all).map(([name, sdl]) => [`${name}.graphql`, sdl]);
  return {
    ...Object.fromEntries(files),
    'supergraph.graphql': `${supergraph.trimEnd()}\n`,
    'api.graphql': `${readSupergraph(supergraph).schemaSdl.trimEnd()}\n`,
  };
}
