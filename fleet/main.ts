import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startDemo } from './demo.ts';

const STOP_LIMIT_MS = 1_500;
const {
  FLEET_URL: url = 'http://127.0.0.1:4000',
  FLEET_TOKEN: token,
  FLEET_DEMO_SEED: seed = '74',
  FLEET_DATA,
} = process.env;

/** Where `fleet demo stop` finds this process. */
const pidFile = FLEET_DATA && path.join(FLEET_DATA, 'demo.pid');

function end(exitCode: number): never {
  if (pidFile) rmSync(pidFile, { force: true });
  process.exit(exitCode);
}

/** The demo fleet as a process of its own; it ends with 0 on SIGTERM, SIGINT, or when the process that started it says so or is gone. */
async function main(): Promise<void> {
  if (!token) throw new Error('FLEET_TOKEN must hold a token that may register agents');
  if (pidFile) writeFileSync(pidFile, `${process.pid}\n`);
  const demo = startDemo({ url, token }, Number(seed));
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    const limit = setTimeout(() => end(0), STOP_LIMIT_MS);
    const farewell = demo.then((running) => running.stop(STOP_LIMIT_MS));
    void farewell.finally(() => {
      clearTimeout(limit);
      end(0);
    });
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  process.on('message', stop);
  process.on('disconnect', stop);
  await demo;
}

main().catch((error: unknown) => {
  process.stderr.write(`the demo fleet ended: ${error instanceof Error ? error.message : String(error)}\n`);
  end(1);
});
