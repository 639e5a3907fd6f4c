/** Whose doing it is that connections close. */
export type ClosingVerdict = 'theirs' | 'unsure' | 'ours';

/** So many at once, and such a part of all, do not close by chance: a router was stopped, or the road to it. */
const CROWD = 5;
const CROWD_SHARE = 0.1;
/** Closings within this time belong together, milliseconds. */
export const CLOSING_WINDOW_MS = 1_000;

/**
 * @param recent connections that closed within the window; @param open those that are open still
 * @returns ours: nothing is held against anybody; unsure: the last of all closed, which may be the road's doing
 */
export function closingVerdict(recent: number, open: number): ClosingVerdict {
  if (recent >= CROWD && recent >= (recent + open) * CROWD_SHARE) return 'ours';
  return open === 0 ? 'unsure' : 'theirs';
}
