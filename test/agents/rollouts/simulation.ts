import { RolloutState } from '../../../subgraphs/agents/entity/rollout-enums.ts';
import { play, type Report } from './run.ts';
import { badVersion, goodVersion } from './versions.ts';
import { Deviates } from './world.ts';

/** What a series of simulated rollouts came to. */
export interface Series {
  bad: Report[];
  good: Report[];
}

/** So many rollouts of bad versions and as many of good ones, over fleets of 100 to so many agents at most. */
export function series(
  rollouts: number,
  seed: number,
  largest = 1_000,
  told: (report: Report) => void = () => {},
): Series {
  const all: Series = { bad: [], good: [] };
  for (let number = 0; number < rollouts; number += 1) {
    const each = seed * 100_000 + number * 2;
    const agents = 100 + Math.floor((largest - 100) * new Deviates(each).next() ** 2);
    for (const kind of ['bad', 'good'] as const) {
      const version = kind === 'bad' ? badVersion(number, each) : goodVersion(each);
      const report = play(each + (kind === 'bad' ? 0 : 1), agents, version);
      all[kind].push(report);
      told(report);
    }
  }
  return all;
}

/** The share of a list that lies below. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Figures of a series. */
export function figures({ bad, good }: Series) {
  const caught = bad.filter(({ state }) => state === RolloutState.REVERTED);
  const back = caught.flatMap(({ revertedMs }) => revertedMs ?? []);
  const decided = caught.flatMap(({ decidedMs }) => decidedMs ?? []);
  return {
    bad: bad.length,
    caught: caught.length,
    largestShareTouched: Math.max(...bad.map(({ touched, agents }) => touched / agents)),
    revertP50Ms: quantile(back, 0.5),
    revertP99Ms: quantile(back, 0.99),
    decidedP50Ms: quantile(decided, 0.5),
    decidedP99Ms: quantile(decided, 0.99),
    good: good.length,
    goodReverted: good.filter(({ state }) => state === RolloutState.REVERTED || state === RolloutState.REVERTING)
      .length,
    goodPaused: good.filter(({ state }) => state === RolloutState.PAUSED).length,
    goodTookP50Ms: quantile(
      good.map(({ tookMs }) => tookMs),
      0.5,
    ),
  };
}

export function main(): void {
  const given = (name: string, standard: number) => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? standard : Number(process.argv[at + 1]);
  };
  const startedMs = performance.now();
  const wrong = ({ fault, state }: Report) =>
    fault === 'none' ? state !== RolloutState.SUCCEEDED : state !== RolloutState.REVERTED;
  const all = series(given('rollouts', 200), given('seed', 1), given('agents', 1_000), (report) => {
    if (wrong(report) || process.argv.includes('--all')) process.stdout.write(`${JSON.stringify(report)}\n`);
  });
  const found = figures(all);
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  process.stdout.write(`${JSON.stringify({ ...found, seconds }, null, 2)}\n`);
  const isKept = found.caught === found.bad && found.largestShareTouched <= 0.05 && found.goodReverted === 0;
  process.exitCode = isKept && found.revertP99Ms <= 10_000 ? 0 : 1;
}

if (require.main === module) main();
