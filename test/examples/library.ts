import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Agent } from '../../sdk/index.ts';
import { type Block, ROOT } from './blocks.ts';

/** What the package gives out, and where that is in the tree. */
const MODULES: Record<string, string> = {
  'fleetgraph/sdk': 'sdk/index.ts',
  'fleetgraph/sdk/factory': 'sdk/factory/index.ts',
  'fleetgraph/sdk/lookup': 'sdk/lookup.ts',
};

const fromSources = (line: string) =>
  line.replace(/'(fleetgraph\/[^']+)'/, (_, name: string) => JSON.stringify(path.join(ROOT, MODULES[name] as string)));

/** An example as a module of which `done` is its end, for a platform at another address. */
function moduleOf({ given, text }: Block, url: string): string {
  const lines = `${given}${text}`.replaceAll('http://127.0.0.1:4000', url).split('\n');
  const imports = lines.filter((line) => line.startsWith('import ')).map(fromSources);
  const rest = lines.filter((line) => !line.startsWith('import '));
  const left = "return typeof agent === 'undefined' ? undefined : agent;";
  return [...imports, 'export const done = (async () => {', ...rest, left, '})();', ''].join('\n');
}

/** Runs a TypeScript example to its end; an agent that it leaves at work is closed, and no crash of ours is reported by it. */
export async function runLibrary(block: Block, url: string, folder: string): Promise<void> {
  const said = [
    jest.spyOn(console, 'log').mockReturnValue(),
    jest.spyOn(process.stdout, 'write').mockReturnValue(true),
  ];
  const listeners = process.listeners('uncaughtException');
  const file = path.join(folder, `${block.file.replace(/\W/g, '-')}-${block.line}.ts`);
  writeFileSync(file, moduleOf(block, url));
  try {
    const agent = await (require(file) as { done: Promise<unknown> }).done;
    if (agent instanceof Agent) await agent.close();
  } finally {
    for (const listener of process.listeners('uncaughtException'))
      if (!listeners.includes(listener)) process.removeListener('uncaughtException', listener);
    for (const spy of said) spy.mockRestore();
  }
}
