import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';

/**
 * `npm run test:audit -- <checkout> [--times 3]`: the cases of a checkout of graphql-hive/federation-gateway-audit (with its
 * dependencies installed), over HTTP, against this router as its command starts it; settings are read from the environment
 * (FLEET_PLANNER=apollo, FLEET_FLAGS=all-off). Prints each case that fails, and whether it at least failed with an error.
 */
interface Case {
  query: string;
  expected: { data?: unknown; errors?: boolean };
}

interface Answer {
  data?: unknown;
  errors?: readonly { message: string }[];
}

const START_MS = 60_000;
const ROUTER = path.resolve(__dirname, '..', '..', 'router', 'main.js');

/** Whether the audit would pass it: data as expected, and errors as expected where it says. */
function isAsExpected(answer: Answer, { data = null, errors }: Case['expected']): boolean {
  const isSame = isDeepStrictEqual(answer.data ?? null, data);
  return isSame && (typeof errors !== 'boolean' || errors === Boolean(answer.errors?.length));
}

/** The audit's mutations are refused when they are repeated: each repetition has a request id of its own. */
function again({ query, expected }: Case, round: number): Case {
  const id = /requestId: "([^"]+)"/.exec(query)?.[1];
  if (round === 0 || id === undefined) return { query, expected };
  const fresh = (text: string) => text.replaceAll(id, `${id}-${round}`);
  return { query: fresh(query), expected: JSON.parse(fresh(JSON.stringify(expected))) };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a process, and waits until it answers at this address. */
async function started(child: ChildProcess, url: string): Promise<ChildProcess> {
  const untilMs = Date.now() + START_MS;
  for (;;) {
    const isThere = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isThere) return child;
    if (child.exitCode !== null || Date.now() > untilMs) {
      await stopped(child);
      throw new Error(`nothing answers at ${url}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await new Promise((resolve) => child.once('exit', resolve));
}

async function ask(url: string, query: string): Promise<Answer> {
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) });
  return (await answer.json()) as Answer;
}

/** All cases of one suite, by one router. @returns what to tell of each that failed */
async function runSuite(id: string, audit: string, folder: string, times: number) {
  const file = path.join(folder, `${id}.graphql`);
  writeFileSync(file, await (await fetch(`${audit}/${id}/supergraph`)).text());
  const cases = (await (await fetch(`${audit}/${id}/tests`)).json()) as Case[];
  const port = await freePort();
  const env = { ...process.env, ROUTER_MODE: 'audit', SUPERGRAPH_PATH: file, PORT: String(port) };
  const child = spawn(process.execPath, [ROUTER], { env, stdio: ['ignore', 'ignore', 'ignore'] });
  const router = await started(child, `http://127.0.0.1:${port}/health`);
  const failed: { name: string; isSilent: boolean; told: string }[] = [];
  try {
    for (const [at, each] of cases.entries()) {
      for (let round = 0; round < times; round++) {
        const { query, expected } = again(each, round);
        const answer = await ask(`http://127.0.0.1:${port}/graphql`, query);
        if (isAsExpected(answer, expected)) continue;
        failed.push({ name: `${id}_${at}`, isSilent: !answer.errors?.length, told: JSON.stringify(answer) });
        break;
      }
    }
  } finally {
    await stopped(router);
  }
  return { count: cases.length, failed };
}

async function main([checkout, ...options]: readonly string[]): Promise<void> {
  if (!checkout) throw new Error('say where the checkout is: npm run test:audit -- <checkout>');
  const times = options[0] === '--times' ? Number(options[1]) : 1;
  const port = await freePort();
  const audit = `http://127.0.0.1:${port}`;
  const command = ['--import', 'tsx', 'src/cli.ts', 'serve', '--port', String(port)];
  const child = spawn(process.execPath, command, { cwd: checkout, stdio: ['ignore', 'ignore', 'inherit'] });
  const server = await started(child, `${audit}/ids`);
  const folder = mkdtempSync(path.join(tmpdir(), 'audit-'));
  const [failed, counts]: [{ isSilent: boolean }[], number[]] = [[], []];
  try {
    for (const id of (await (await fetch(`${audit}/ids`)).json()) as string[]) {
      const suite = await runSuite(id, audit, folder, times);
      counts.push(suite.count);
      failed.push(...suite.failed);
      for (const { name, isSilent, told } of suite.failed) {
        console.log(`✗ ${name}, ${isSilent ? 'WITHOUT an error' : 'with an error'}: ${told}`);
      }
    }
  } finally {
    await stopped(server);
    rmSync(folder, { recursive: true });
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  const silent = failed.filter(({ isSilent }) => isSilent).length;
  console.log(`${total - failed.length} of ${total}, each ${times} ×; ${silent} wrong without an error`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

void main(process.argv.slice(2));
