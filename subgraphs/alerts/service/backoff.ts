/** Attempts at most; the last is some twenty minutes after the first. */
export const MAX_ATTEMPTS = 12;
const FIRST_MS = 1_000;
const LONGEST_MS = 300_000;

/**
 * The pause before another attempt: exponential with full jitter, at least half a second.
 * @param attempts made so far, from 1
 * @param random in [0, 1)
 */
export function backoffMs(attempts: number, random: number): number {
  return Math.round(500 + random * Math.min(LONGEST_MS, FIRST_MS * 2 ** attempts));
}

export type Verdict = 'SENT' | 'RETRY' | 'FAILED';

/** What a status means for a notification: 410 says never again, a redirect is not followed, all else may pass later. */
export function verdictOf(status: number, attempts: number): Verdict {
  if (status >= 200 && status < 300) return 'SENT';
  if (status === 410 || (status >= 300 && status < 400) || attempts >= MAX_ATTEMPTS) return 'FAILED';
  return 'RETRY';
}
