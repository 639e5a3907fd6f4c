import type { Alert, AlertExplanation, Sample } from '../entity/alert.ts';

/** Values an alert keeps for its explanation. */
const MAX_SAMPLES = 30;
const ADDRESS = /^https?:\/\/\S+$/;

/** Joins what was measured before and now, by time, each time once; the newest are kept. */
export function joinSamples(known: readonly Sample[], more: readonly Sample[]): Sample[] {
  const byTime = new Map([...known, ...more].map((sample) => [new Date(sample.time).toISOString(), sample.value]));
  return [...byTime]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(-MAX_SAMPLES)
    .map(([time, value]) => ({ time, value }));
}

/** Why an alert was opened. */
export function explain({ summary, ruleVersion, samples, threshold, annotations }: Alert): AlertExplanation {
  return {
    summary,
    ruleVersion,
    samples,
    threshold,
    links: Object.values(annotations).filter((text) => ADDRESS.test(text)),
  };
}
