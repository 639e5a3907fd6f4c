import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { contract } from './platform/contract.ts';
import { packageRoot } from './platform/surroundings.ts';

/** Writes schema/: each subgraph's SDL and the supergraph, from the code. */
async function main(): Promise<void> {
  const folder = path.join(packageRoot(), 'schema');
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(await contract())) writeFileSync(path.join(folder, name), text);
}

void main();
