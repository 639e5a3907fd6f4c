import { collectDefaultMetrics, register } from 'prom-client';
import { HouseClient } from '../../lib/call/house-client.ts';
import { deriveKey } from '../../lib/call/signing.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { LogShipper } from '../../lib/log-shipper.ts';
import type { Settings } from '../../lib/settings/index.ts';
import { logFolder } from './surroundings.ts';

export interface Instruments {
  /** Text of /metrics. */
  metrics(): Promise<string>;
  stop(): Promise<void>;
}

/** What each process has beside its work: metrics, traces, and its own lines on their way to the logs house. */
export function startSurroundings(service: string, settings: Settings, secret: string, _log: Log): Instruments {
  collectDefaultMetrics();
  const address = settings.FLEET_HOUSES['logs'];
  const logs = address
    ? new HouseClient('logs', address, deriveKey(secret, 'call:logs'), () => systemClock.nowMs())
    : undefined;
  const shipper = logs && new LogShipper(logFolder(settings), service, logs, systemClock);
  shipper?.start();
  return {
    metrics: () => register.metrics(),
    async stop() {
      await shipper?.stop();
      logs?.close();
    },
  };
}
