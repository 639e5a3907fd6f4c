import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { connect } from '../../sdk/index.ts';

/** A command as an agent wrote it down when it did it. */
export interface Deed {
  agent: string;
  n: number;
  id: string;
  fence: string;
  /** Whether it had been done before, by a process that was killed before it could say so. */
  isKnown: boolean;
}

export function deedsOf(journal: string): Deed[] {
  if (!existsSync(journal)) return [];
  return readFileSync(journal, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Deed);
}

/**
 * A process of agents that do `work`: each writes down what it does before it says so, and looks there after it was killed.
 * Is killed and started anew by the scenario.
 */
async function main([url = '', token = '', journal = '', prefix = '', count = '0']: readonly string[]): Promise<void> {
  const done = new Set(deedsOf(journal).map(({ id }) => id));
  for (let at = 0; at < Number(count); at += 1) {
    const agent = await connect({ url, token, name: `${prefix}-${at}`, kind: prefix, version: '1.0.0' });
    agent.onCommand('work', ({ n }, { id, fence }) => {
      const deed: Deed = { agent: agent.name, n: Number(n), id, fence, isKnown: done.has(id) };
      done.add(id);
      appendFileSync(journal, `${JSON.stringify(deed)}\n`);
      return { n };
    });
  }
  process.send?.('ready');
}

if (require.main === module) void main(process.argv.slice(2));
