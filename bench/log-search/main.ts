import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseSearch } from '../../lib/search/index.ts';
import { openTelemetryStore } from '../../lib/telemetry-store/index.ts';
import { patternsOf } from '../../subgraphs/logs/service/patterns.ts';
import {
  AnalysisStore,
  entryOf,
  LOG_FIELDS,
  type LogCriteria,
  LogReader,
  LogStore,
  nanosOf,
} from '../../subgraphs/logs/store/index.ts';
import type { Bench, Figure } from '../figure.ts';
import { agentOf, bytesEach, fill, START_MS, traceOf } from './rows.ts';

const rowsAt = process.argv.indexOf('--rows');
const ROWS = rowsAt < 0 ? 1_000_000 : Number(process.argv[rowsAt + 1]);
const TURNS = 40;
/** FLEET_LOG_FACET_ROWS unless it is set. */
const FACET_ROWS = 1_000_000;
const AIM = { p50: 50, p99: 200 };
const PAGE = { limit: 50, backward: false };
const WATERMARK = 2 ** 52;

/**
 * How long each kind of search of logs takes, in the house: from criteria to entries. `-- --rows 10000000` for more. Words
 * change from turn to turn where they can: the engine remembers where a condition held nowhere.
 */
export const logSearchBench: Bench = {
  name: 'log-search',
  async run() {
    const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-log-search-'));
    const telemetry = await openTelemetryStore({ path: path.join(folder, 'store') });
    try {
      const reader = new LogReader(telemetry);
      const [logs, analysis] = [new LogStore(telemetry, reader), new AnalysisStore(reader)];
      await logs.migrate();
      await fill(telemetry, ROWS);
      const figures: Figure[] = [];
      for (const [name, search] of Object.entries(searches(logs, analysis))) {
        figures.push(figureOf(name, await measured(search)));
      }
      const each = await bytesEach(telemetry);
      return [
        ...figures,
        { promise: 'bytes of a log record on disk', measured: each.toFixed(1), against: '17 (DESIGN)', ratio: '' },
      ];
    } finally {
      await telemetry.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

type Search = (turn: number) => Promise<unknown>;

/** Each with other words in each turn, as far as there are others. */
function searches(logs: LogStore, analysis: AnalysisStore): Record<string, Search> {
  const of = (query: string): LogCriteria => ({ search: parseSearch(query, LOG_FIELDS) });
  const page = async (criteria: LogCriteria) => (await logs.page(criteria, PAGE, WATERMARK)).rows.map(entryOf);
  return {
    'an absent word': (turn) => page(of(`absent${turn}`)),
    'a rare word': () => page(of('needle')),
    'a common word, service, severity': (turn) => page(of(`task service:service-${turn % 20} severity:error`)),
    'two words that never meet': () => page(of('refused results')),
    'a phrase': (turn) => page(of(`"model gpt-5 exceeded for user ${turn}"`)),
    'the beginning of a word': (turn) => page(of(`need* -x${turn}`)),
    'the beginning of a common word': (turn) => page(of(`conn* -x${turn}`)),
    'a piece of text': (turn) => page(of(`/a needle wa/ -x${turn}`)),
    'a regular expression, common': (turn) => page(of(`/retry in ${turn % 6}\\d s/`)),
    'a regular expression, rare': (turn) => page(of(`/task [0-9a-f]+ was done in ${turn} ms after/`)),
    'an attribute': (turn) => page(of(`attributes.user.id:${turn * 7}`)),
    'an attribute nobody has': (turn) => page(of(`attributes.user.id:none${turn}`)),
    'newest of an agent': (turn) => page({ agents: [agentOf(turn * 11)] }),
    'a trace': (turn) => page({ trace: traceOf(Math.floor((ROWS / 10 / TURNS) * turn)) }),
    'the middle of the time': (turn) => page({ to: nanosOf(START_MS + ((turn + 1) * ROWS) / (TURNS + 2)) }),
    'a count of a common word': () => logs.count(of('task'), WATERMARK),
    'a histogram of all by severity': () => logs.histogram({}, Math.ceil(ROWS / 60), 'severity'),
    'a histogram of a word': () => logs.histogram(of('refused'), Math.ceil(ROWS / 60)),
    'facets of the services': () => analysis.values({}, { column: 'service', path: '' }, 20),
    'facets of an attribute': () => analysis.values({}, { column: 'attributes', path: 'user.id' }, 20, FACET_ROWS),
    'patterns of the newest 10,000': async () => patternsOf(await analysis.newest({}, 10_000)),
  };
}

interface Took {
  p50: number;
  p99: number;
  /** The processor's time for each, which a busy machine changes little. */
  cpuMs: number;
}

async function measured(search: Search): Promise<Took> {
  const took: number[] = [];
  await search(0);
  const before = process.cpuUsage();
  for (let turn = 0; turn < TURNS; turn += 1) {
    const startedMs = performance.now();
    await search(turn);
    took.push(performance.now() - startedMs);
  }
  const { user, system } = process.cpuUsage(before);
  took.sort((a, b) => a - b);
  const at = (share: number) => took[Math.ceil(TURNS * share) - 1] as number;
  return { p50: at(0.5), p99: at(0.99), cpuMs: (user + system) / 1_000 / TURNS };
}

function figureOf(name: string, { p50, p99, cpuMs }: Took): Figure {
  return {
    promise: `${ROWS} logs: ${name}`,
    measured: `${p50.toFixed(0)}/${p99.toFixed(0)} ms, CPU ${cpuMs.toFixed(0)}`,
    against: `${AIM.p50}/${AIM.p99} ms p50/p99`,
    ratio: (AIM.p99 / p99).toFixed(1),
  };
}
