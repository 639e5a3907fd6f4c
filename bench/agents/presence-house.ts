import { packageRoot } from '../../cli/platform/surroundings.ts';
import { loadAccessTable } from '../../lib/access.ts';
import { agentsSubgraph, entities } from '../../subgraphs/agents/index.ts';
import { startTestHouse } from '../../test/support/house.ts';

/** The agents house in a process of its own: tells its address, and ends when it is told to. */
async function main(databaseUrl: string): Promise<void> {
  const access = loadAccessTable(packageRoot());
  const house = await startTestHouse({ name: 'agents', entities, make: agentsSubgraph, access, databaseUrl });
  process.send?.({ url: house.url });
  process.once('disconnect', () => void house.stop().then(() => process.exit(0)));
}

void main(process.argv[2] as string);
