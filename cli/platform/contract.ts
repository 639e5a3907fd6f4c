import { printSubgraphSchema } from '@apollo/subgraph';
import { loadAccessTable } from '../../lib/access.ts';
import { systemClock } from '../../lib/clock.ts';
import { houseForSchema } from '../../lib/house.ts';
import { silentLog } from '../../lib/log.ts';
import { loadSettings } from '../../lib/settings/index.ts';
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
