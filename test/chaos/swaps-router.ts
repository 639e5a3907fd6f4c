import { readFileSync } from 'node:fs';
import { startStandalone } from '../../router/standalone.ts';

/** What the router's process tells of itself. */
export interface RouterFigures {
  /** After collection, bytes: of JavaScript, and of the whole process. */
  heapBytes: number;
  residentBytes: number;
  /** The longest that the main thread worked between two turns of a timer since it was asked last, milliseconds of CPU. */
  heldMs: number;
}

const LOOK_MS = 10;
let heldMs = 0;
let beforeMs = cpuMs();

/** The router as its command starts it, in a process that can be asked about itself: `node --expose-gc swaps-router.js`. */
async function main(): Promise<void> {
  const router = await startStandalone(process.env);
  process.on('SIGHUP', () => void router.reload());
  setInterval(() => {
    const nowMs = cpuMs();
    heldMs = Math.max(heldMs, nowMs - beforeMs);
    beforeMs = nowMs;
  }, LOOK_MS);
  process.on('message', (what) => {
    if (what === 'measure') void measured().then((figures) => process.send?.(figures));
  });
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.send?.(router.url);
}

/** What the scheduler gave the main thread: on a busy machine, time says more of others. */
function cpuMs(): number {
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

/** Memory once what is unused is gone, native objects too: they go in turns of the loop after their holders. */
async function measured(): Promise<RouterFigures> {
  const told = heldMs;
  for (let round = 0; round < 6; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  // The collection itself is nobody's.
  await new Promise((resolve) => setTimeout(resolve, 2 * LOOK_MS));
  heldMs = 0;
  return { heapBytes: heapUsed + external, residentBytes: rss, heldMs: told };
}

void main().catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
