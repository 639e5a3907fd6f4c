import { uuidMs } from '../clock.ts';

/** What was done longer ago than this is not taken for the cause of what happens now, milliseconds. */
export const CAUSE_MS = 30 * 60_000;

/** The entry as a cause of what happens now: undefined when there is none, or it is too old. @param entry uuid of version 7 */
export function recentCause(entry: string | null | undefined, nowMs: number): string | undefined {
  const madeMs = entry == null ? undefined : uuidMs(entry);
  return madeMs !== undefined && nowMs - madeMs <= CAUSE_MS ? (entry as string) : undefined;
}
