import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Whether a process lives (a zombie does not). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return statField(pid, 0) !== 'Z';
}

/** When the process started, in clock ticks since boot: with its pid it names one process for good. */
export function startedAt(pid: number): string | undefined {
  return statField(pid, 19);
}

/** A field behind the command name in /proc/<pid>/stat, or undefined where there is none (macOS). */
function statField(pid: number, index: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[index];
  } catch {
    return undefined;
  }
}

/** Processes whose working folder is this one: a dead postmaster's backends. */
export function processesIn(folder: string): number[] {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && pid !== process.pid && workingFolder(pid) === folder);
  } catch {
    return [];
  }
}

function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/** Signals processes; those that are gone already do not count. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/**
 * Waits until none of them lives.
 * @returns whether they all went within `limitMs`
 */
export async function awaitGone(pids: readonly number[], limitMs: number): Promise<boolean> {
  for (let waitedMs = 0; pids.some(isAlive); waitedMs += 20) {
    if (waitedMs >= limitMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
