import { quantile, type Tally } from './tally.ts';
import { World } from './world.ts';

/** `npm run test:sim:presence -- --beats 100000000 [--agents 20000] [--seed 1] [--every 2000]`: false deaths and how soon real ones are seen. */
function given(name: string, byDefault: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? byDefault : Number(process.argv[at + 1]);
}

function show(tally: Tally, tookS: number): void {
  const ms = (values: readonly number[]) =>
    `${values.length} × p50 ${Math.round(quantile(values, 0.5))} p99 ${Math.round(quantile(values, 0.99))} max ${Math.round(quantile(values, 1))} ms`;
  const { killed, lost, events, examples } = tally;
  const lines = [
    `${tally.beats} beats of ${tally.agents} agents over ${Math.round(tally.simulatedS)} s, in ${tookS.toFixed(0)} s`,
    `befell: ${Object.entries(events)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')}`,
    `false deaths ${tally.falseDeaths}; false suspicions ${tally.suspicions} (${((1e6 * tally.suspicions) / tally.beats).toFixed(1)} in a million beats)`,
    ...examples.map((example) => `  ${example}`),
    `killed (connections close): SUSPECT ${ms(killed.suspectMs)}; OFFLINE ${ms(killed.offlineMs)}`,
    `lost without a word:        SUSPECT ${ms(lost.suspectMs)}; OFFLINE ${ms(lost.offlineMs)}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

const startedMs = performance.now();
const terms = { beatEveryMs: given('every', 2_000), leaseBeats: given('lease', 3) };
const world = new World({
  agents: given('agents', 20_000),
  beats: given('beats', 100_000_000),
  seed: given('seed', 1),
  terms,
});
const tally = world.run();
show(tally, (performance.now() - startedMs) / 1_000);
process.exitCode = tally.falseDeaths ? 1 : 0;
