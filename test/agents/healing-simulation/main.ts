import { injectCascades } from './cascades.ts';
import { detect } from './detection.ts';
import { FAULTS, TRANSIENT } from './faults.ts';
import { quantile } from './figures.ts';
import { type Episode, type Healing, heal } from './healing.ts';

/**
 * `npm run test:sim:healing -- --faults 500 --seeds 3 [--first 1]`: the production rules of health, causes and recovery on a fleet in
 * virtual time. Prints what the promises ask for, and ends with 1 when one is not kept; the same seed is the same run.
 */
const given = (name: string, byDefault: number) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? byDefault : Number(process.argv[at + 1]);
};

const say = (line: string) => process.stdout.write(`${line}\n`);
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
const share = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;
let isKept = true;

function promise(what: string, figure: string, kept: boolean): void {
  isKept &&= kept;
  say(`${kept ? 'kept  ' : 'BROKEN'} ${what.padEnd(64)} ${figure}`);
}

const medianOf = (episodes: readonly Episode[], from: (episode: Episode) => number | undefined) =>
  quantile(
    episodes.flatMap((episode) => {
      const fromMs = from(episode);
      return episode.healedMs === undefined || fromMs === undefined ? [] : [episode.healedMs - fromMs];
    }),
    0.5,
  );

function showHealing(healing: Healing): void {
  const { episodes } = healing;
  for (const kind of TRANSIENT) {
    const own = episodes.filter((episode) => episode.kind === kind);
    const healed = own.filter(({ healedMs }) => healedMs !== undefined);
    const times = `${seconds(medianOf(own, ({ steppedMs }) => steppedMs))} after the first step, ${seconds(medianOf(own, ({ beganMs }) => beganMs))} after it began`;
    say(`         ${kind.padEnd(20)} ${healed.length} of ${own.length} healed; median ${times}`);
  }
  const healed = episodes.filter(({ healedMs }) => healedMs !== undefined);
  promise(
    'transient faults healed without a person ≥ 95 %',
    share(healed.length, episodes.length),
    healed.length >= 0.95 * episodes.length,
  );
  const fromStep = medianOf(episodes, ({ steppedMs }) => steppedMs);
  promise('median from the first step to well ≤ 5 s', seconds(fromStep), fromStep <= 5_000);
  say(
    `         median from when it was noticed ${seconds(medianOf(episodes, ({ noticedMs }) => noticedMs))}, from when it began ${seconds(medianOf(episodes, ({ beganMs }) => beganMs))}`,
  );
  promise(
    'steps for agents without a fault: 0',
    `${healing.falseSteps.length} in ${healing.agentHours.toFixed(0)} agent hours, ${healing.clockJumps} clock jumps`,
    healing.falseSteps.length === 0,
  );
  for (const step of healing.falseSteps) say(`         ${step}`);
  say(`         steps for agents whose trouble was another’s: ${healing.stepsForVictims}`);
  promise('blast radius passed: 0', String(healing.radiusPassed), healing.radiusPassed === 0);
}

async function main(): Promise<void> {
  const [faults, seeds, first] = [given('faults', 500), given('seeds', 1), given('first', 1)];
  for (let seed = first; seed < first + seeds; seed += 1) {
    say(`seed ${seed}`);
    const { area, byKind, samples } = await detect(seed, Math.max(1, Math.round(faults / 100)));
    for (const kind of FAULTS) say(`         ${kind.padEnd(20)} AUC ${byKind[kind].toFixed(3)}`);
    promise(
      `the score tells ${FAULTS.length} kinds of fault: AUC ≥ 0.95`,
      `${area.toFixed(3)} of ${samples} scores`,
      area >= 0.95,
    );
    const { cascades, named, victims, victimsNamed, strangers, strangersMisnamed } = injectCascades(seed, faults);
    promise(
      'the root of a cascade is named first ≥ 90 %',
      `${share(named, cascades)} of ${cascades}`,
      named >= 0.9 * cascades,
    );
    say(
      `         by each agent: ${share(victimsNamed, victims)} of ${victims}; strangers blamed on another: ${share(strangersMisnamed, strangers)}`,
    );
    showHealing(await heal(seed, faults));
  }
  process.exitCode = isKept ? 0 : 1;
}

void main();
