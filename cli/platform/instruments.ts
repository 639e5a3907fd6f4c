import type { Registry } from 'prom-client';
import { HouseClient } from '../../lib/call/house-client.ts';
import { systemPrincipal } from '../../lib/call/principal.ts';
import { deriveKey } from '../../lib/call/signing.ts';
import { systemClock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import type { Flags } from '../../lib/flags/index.ts';
import { LogShipper } from '../../lib/log-shipper.ts';
import { openProcessMetrics } from '../../lib/process-metrics.ts';
import type { Settings } from '../../lib/settings/index.ts';
import { startTracing } from '../../lib/telemetry/index.ts';
import { logFolder, packageVersion } from './surroundings.ts';

export interface Instruments {
  /** Text of /metrics. */
  metrics(): Promise<string>;
  /** What `metrics` is the text of. */
  registry: Registry;
  stop(): Promise<void>;
}

/** What each process has beside its work: metrics, traces, and its own lines on their way to the logs house. */
export function startInstruments(service: string, settings: Settings, secret: string, flags: Flags): Instruments {
  const clients: HouseClient[] = [];
  const clientOf = (house: string): HouseClient | undefined => {
    const address = settings.FLEET_HOUSES[house];
    const client =
      address && new HouseClient(house, address, deriveKey(secret, `call:${house}`), () => systemClock.nowMs());
    if (client) clients.push(client);
    return client || undefined;
  };
  const logs = clientOf('logs');
  // The supervisor has no house to speak to: the router, of which a folder has one, sends its lines too. Crashes are told there alone.
  const sources = service === 'router' ? [service, 'supervisor'] : [service];
  const shippers = sources.flatMap((source) =>
    logs ? [new LogShipper(logFolder(settings), source, logs, systemClock, flags, packageVersion())] : [],
  );
  for (const shipper of shippers) shipper.start();
  const spans = clientOf('metrics');
  const tracing = startTracing({
    service: `fleetgraph.${service}`,
    instance: `${service}-${process.pid}`,
    // Traces begin at the router; what no caller asked for (polls, sweeps) is no trace.
    ratio: 0,
    // The router plans and runs by itself, and makes its own spans.
    hooks: service !== 'router',
    endpoint: settings.FLEET_OTLP_ENDPOINT,
    ...(spans
      ? {
          send: async (body: Uint8Array) => {
            if (flags.isOn('platform.own-traces')) await sendSpans(spans, service, body);
          },
        }
      : {}),
  });
  const metrics = openProcessMetrics(service);
  return {
    metrics: () => metrics.text(),
    registry: metrics.registry,
    async stop() {
      await tracing.stop();
      await Promise.all(shippers.map((shipper) => shipper.stop()));
      for (const client of clients) client.close();
    },
  };
}

const PROTOBUF = { 'content-type': 'application/x-protobuf' };

async function sendSpans(metrics: HouseClient, service: string, body: Uint8Array): Promise<void> {
  const call = { principal: systemPrincipal(service), requestId: systemClock.uuid() };
  const answer = await metrics.send('POST /v1/traces', { call, body, headers: PROTOBUF, timeoutMs: 5_000 });
  if (answer.status !== 200) throw new FleetError('SUBGRAPH_UNAVAILABLE', `metrics answered ${answer.status}`);
}
