import type { BeatSample } from './health.ts';
import { MIN_REQUESTS } from './penalty/errors.ts';

/**
 * The newest beats alone that together tell enough to judge by; undefined when the last one told nothing new, or all of them too
 * little. A score over five beats says late what is wrong since one: it still has four good ones in it.
 */
export function acuteWindow(window: readonly BeatSample[]): readonly BeatSample[] | undefined {
  if (!window.at(-1)?.requests) return undefined;
  let requests = 0;
  for (let from = window.length - 1; from >= 0; from -= 1) {
    requests += (window[from] as BeatSample).requests;
    if (requests >= MIN_REQUESTS) return window.slice(from);
  }
  return undefined;
}

/** Beats in a row that were CRITICAL by themselves, after another: one that tells nothing neither counts nor ends the row. */
export function nextAcute(beats: number, isCritical: boolean | undefined): number {
  if (isCritical === undefined) return beats;
  return isCritical ? beats + 1 : 0;
}

/** So many of them weigh as much as so many whose five-beat score is CRITICAL: half, and at least two, unless one is enough. */
export const acuteEnough = (criticalBeats: number): number =>
  Math.min(criticalBeats, Math.max(2, Math.ceil(criticalBeats / 2)));
