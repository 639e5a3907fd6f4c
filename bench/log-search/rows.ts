import type { TelemetryStore } from '../../lib/telemetry-store/index.ts';
import { LOG_COLUMNS } from '../../subgraphs/logs/store/index.ts';

/** When the oldest entry happened, milliseconds; each is a millisecond behind the one before. */
export const START_MS = Date.parse('2026-01-01');
/** As many rows as one insert of a busy house has. */
const GROUP = 250_000;

export const agentOf = (number: number) => `01890000-0000-7000-8000-${String(number).padStart(12, '0')}`;
/** Trace ids of ten entries each. */
export const traceOf = (number: number) => number.toString(16).padStart(32, '0');

/** Fills the table of a store with entries that are the same in every run; made by the engine, which is fastest. */
export async function fill(store: TelemetryStore, rows: number): Promise<void> {
  for (let from = 0; from < rows; from += GROUP) {
    const count = Math.min(GROUP, rows - from);
    await store.command(
      `insert into ${LOG_COLUMNS}
       select ${START_MS} * 1000000 + n * 1000000 as time, time + 2000000,
         multiIf(n % 50 = 0, 17, n % 10 = 0, 13, 9), concat('service-', toString(n % 20)),
         concat('01890000-0000-7000-8000-', leftPad(toString(h % 1000), 12, '0')), concat('agent-', toString(h % 1000)),
         leftPad(lower(hex(intDiv(n, 10))), 32, '0'), leftPad(lower(hex(n)), 16, '0'),
         concat(
           multiIf(
             n % 7 = 0, concat('rate limit of model gpt-5 exceeded for user ', toString(h % 5000), ', retry in ', toString(h % 60), ' s'),
             n % 7 = 1, concat('connection to 10.0.', toString(h % 256), '.', toString(n % 256), ':5432 refused'),
             n % 7 = 2, concat('GET /v1/agents/', toString(h % 1000), ' 200 in ', toString(h % 977), ' ms'),
             n % 7 = 3, concat('tool call search returned ', toString(h % 40), ' results'),
             concat('task ', lower(hex(h % 1000000)), ' was done in ', toString(h % 977), ' ms')),
           if(n % 100000 = 77, ' after a needle was found', '')),
         map('user.id', toString(h % 5000), 'status', toString([200, 200, 200, 404, 500][h % 5 + 1]), 'model', '"gpt-5"'),
         concat('{"service.name":"service-', toString(n % 20), '","host.name":"h', toString(n % 20), '"}'),
         ${START_MS} * 1000 + ${from}, n - ${from}, 0
       from (select number + ${from} as n, cityHash64(n) as h from numbers(${count}))`,
    );
  }
}

/** Bytes on disk, all of them: columns, indexes and marks. */
export async function bytesEach(store: TelemetryStore): Promise<number> {
  const [row] = await store.query<{ each: number }>(
    `select sum(bytes_on_disk) / sum(rows) as each from system.parts where table = 'log' and active`,
  );
  return Number(row?.each);
}
