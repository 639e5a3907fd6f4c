import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { openTelemetryStore, type TelemetryStore } from '../../lib/telemetry-store/index.ts';
import { entities, logsSubgraph } from '../../subgraphs/logs/index.ts';
import { startTestHouse, type TestHouse } from '../support/house.ts';

/** A logs house on an empty store of its own. */
export interface LogsHouse extends TestHouse {
  telemetry: TelemetryStore;
  folder: string;
  /** Stops house and store. */
  close(): Promise<void>;
}

export async function startLogsHouse(options: { clock?: Clock; folder?: string; databaseUrl?: string } = {}): Promise<LogsHouse> {
  const folder = options.folder ?? path.join(mkdtempSync(path.join(tmpdir(), 'logs-')), 'store');
  const telemetry = await openTelemetryStore({ path: folder });
  const house = await startTestHouse({
    name: 'logs',
    entities,
    make: logsSubgraph,
    telemetry,
    clock: options.clock ?? systemClock,
    ...(options.databaseUrl ? { databaseUrl: options.databaseUrl } : {}),
  });
  return {
    ...house,
    telemetry,
    folder,
    async close() {
      await house.stop();
      await telemetry.close();
    },
  };
}

/** A clock that stands until it is moved. */
export function standingClock(startMs: number): Clock & { moveTo(ms: number): void } {
  let nowMs = startMs;
  return {
    ...systemClock,
    nowMs: () => nowMs,
    moveTo(ms) {
      nowMs = ms;
    },
  };
}
