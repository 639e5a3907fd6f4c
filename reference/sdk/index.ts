import { ExportReader } from './exports.ts';
import { modulePage, silentIn } from './page.ts';
import { unnamedTypes } from './types.ts';

/** What agents import: page, source, the name they import it by, what it is. */
const MODULES = [
  [
    'core',
    'sdk/index.ts',
    'fleetgraph/sdk',
    'Makes a program an agent. [The SDK](../../sdk.md) tells it from the beginning.',
  ],
  [
    'factory',
    'sdk/factory/index.ts',
    'fleetgraph/sdk/factory',
    'Kinds of agents, and what builds them: [kinds of agents](../../agent-kinds.md).',
  ],
  [
    'lookup',
    'sdk/lookup.ts',
    'fleetgraph/sdk/lookup',
    'Finds agents and their addresses: [discovery](../../discovery.md).',
  ],
  [
    'pino',
    'sdk/pino-transport.ts',
    'fleetgraph/sdk/pino',
    'Log lines of a program that writes them with pino: [logs](../../sdk.md#logs).',
  ],
] as const;

/** The pages of the TypeScript SDK, and what of it says nothing of itself. */
export async function sdkPages(root: string): Promise<{ pages: Record<string, string>; silent: string[] }> {
  const reader = await ExportReader.open(root, 'tsconfig.sdk.json');
  try {
    const modules = MODULES.map(([name, file, module, intro]) => ({
      name,
      module,
      intro,
      exported: reader.read(file),
    }));
    const places = new Map<string, string>();
    for (const { name, exported } of modules)
      for (const each of exported) places.set(each.name, `${name}.md#${each.name.toLowerCase()}`);
    const made = 'Made from its doc comments by `npm run docs`.';
    const all = modules.flatMap(({ exported }) => exported);
    return {
      pages: Object.fromEntries(
        modules.map(({ name, module, intro, exported }) => [
          `docs/reference/sdk/${name}.md`,
          modulePage(module, `${intro} ${made}`, exported, { page: `${name}.md`, places }),
        ]),
      ),
      silent: [...new Set([...silentIn(all), ...unnamedTypes(all, reader.declared(), places)])],
    };
  } finally {
    reader.close();
  }
}
