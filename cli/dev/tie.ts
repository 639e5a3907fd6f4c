import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isGroupThere } from './group.ts';

/**
 * Runs a program that cannot outlive whoever asked for it: `node tie.js <grace, milliseconds> <command> <arguments…>`. The program gets a
 * group of processes of its own. When the channel to the parent closes (it was killed), when the parent says so, or on a signal,
 * the group is told to end, and is ended when its grace is over. The exit code is the program's.
 */
function main([grace = '', command = '', ...args]: readonly string[]): void {
  const graceMs = Number(grace);
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= endGroup(child.pid, graceMs);
  };
  child.once('spawn', () => tell({ pid: child.pid }));
  child.once('error', (error) => {
    tell({ failed: error.message });
    process.exitCode = 127;
    if (process.connected) process.disconnect();
  });
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal ? constants.signals[signal] : 0);
    // What it started may outlive it for its own farewell, no longer than the grace.
    stop();
    void stopping?.then(() => process.exit());
  });
  process.on('message', (message) => {
    const { kill } = message as { kill?: boolean };
    if (kill) signalGroup(child.pid, 'SIGKILL');
    else stop();
  });
  process.on('disconnect', stop);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
}

/** Says something to whoever asked for it; nobody may be there any longer. */
function tell(message: object): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/** Tells a group to end and waits until nobody of it is left. */
async function endGroup(pid: number | undefined, graceMs: number): Promise<void> {
  signalGroup(pid, 'SIGTERM');
  // One that is held would never hear of it.
  signalGroup(pid, 'SIGCONT');
  for (let waitedMs = 0; pid !== undefined && isGroupThere(pid); waitedMs += 20) {
    if (waitedMs >= graceMs) signalGroup(pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch (error) {
    // It ended just now.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

main(process.argv.slice(2));
