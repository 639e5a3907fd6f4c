import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../lib/postgres/local.ts';
import { composeSupergraph } from '../router/compose.ts';

/** Subgraphs composed into a file of their own. @returns its path */
export function supergraphFile(subgraphs: Parameters<typeof composeSupergraph>[0]): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'fleetgraph-bench-')), 'supergraph.graphql');
  writeFileSync(file, composeSupergraph(subgraphs));
  return file;
}

/**
 * A router in a process of its own, rates off, ready to be asked.
 * @param children takes the process, to be ended by who asked for it
 * @returns http://host:port
 */
export async function startRouter(
  supergraph: string,
  settings: Readonly<Record<string, string>>,
  children: ChildProcess[],
): Promise<string> {
  const port = await freePort();
  const env = {
    ...process.env,
    SUPERGRAPH_PATH: supergraph,
    PORT: String(port),
    ROUTER_MODE: 'bench',
    NODE_ENV: 'production',
    FLEET_LOG_LEVEL: 'error',
    ...settings,
  };
  // As its users start it: no channel to a parent.
  const script = path.join(__dirname, '../router/main.js');
  children.push(spawn(process.execPath, [script], { env, stdio: ['ignore', 'ignore', 'inherit'] }));
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 200; tries += 1) {
    const response = await fetch(`${url}/health`).catch(() => undefined);
    if (response?.ok) return url;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the router does not answer');
}
