import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Whether a process of this group lives. One that ended and that nobody has asked about (a zombie) does not. */
export function isGroupThere(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  // Without /proc (macOS) zombies cannot be told from others; init takes them away at once there.
  if (!existsSync('/proc/self/stat')) return true;
  return readdirSync('/proc').some((pid) => /^\d+$/.test(pid) && isOf(pid, group));
}

function isOf(pid: string, group: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, , itsGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(itsGroup) === group && state !== 'Z';
  } catch {
    // It ended while we looked.
    return false;
  }
}
