import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Principal } from '../../lib/call/principal.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { nodeId } from '../../lib/node-id.ts';
import { readBody } from '../../lib/serve/body.ts';
import type { Settings } from '../../lib/settings/index.ts';
import { openTelemetryStore, type TelemetryStore } from '../../lib/telemetry-store/index.ts';
import { entities, metricsSubgraph } from '../../subgraphs/metrics/index.ts';
import { ADMIN, callOf, startTestHouse, type TestHouse } from '../support/house.ts';

/** The metrics house on an engine of its own. */
export interface MetricsHouse extends TestHouse {
  telemetry: TelemetryStore;
  /** Stops house and engine, keeps the folder, starts again. */
  again(): Promise<MetricsHouse>;
  /** Sends OTLP/JSON as this caller. */
  send(signal: 'metrics' | 'traces', body: object, principal?: Principal): Promise<{ status: number; body: string }>;
}

export interface MetricsHouseOptions {
  clock?: Clock;
  settings?: Partial<Settings>;
  folder?: string;
}

export async function startMetricsHouse(options: MetricsHouseOptions = {}): Promise<MetricsHouse> {
  const folder = options.folder ?? mkdtempSync(path.join(tmpdir(), 'fleetgraph-metrics-'));
  const telemetry = await openTelemetryStore({ path: path.join(folder, 'telemetry') });
  const house = await startTestHouse({
    name: 'metrics',
    entities,
    make: metricsSubgraph,
    telemetry,
    ...(options.clock ? { clock: options.clock } : {}),
    ...(options.settings ? { settings: options.settings } : {}),
  });
  const halt = async () => {
    await house.stop();
    await telemetry.close();
  };
  return {
    ...house,
    telemetry,
    async again() {
      await halt();
      return startMetricsHouse({ ...options, folder });
    },
    async send(signal, body, principal = ADMIN) {
      const answer = await house.client.send(`POST /v1/${signal}`, {
        call: callOf({ principal }),
        body: JSON.stringify(body),
      });
      return { status: answer.status, body: answer.body.toString() };
    },
    async stop() {
      await halt();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A plain HTTP port before the house, as the router is one: what stock exporters send to. */
export async function openDoor(
  house: MetricsHouse,
  principal: Principal,
): Promise<{ url: string; close(): Promise<void> }> {
  const server: Server = createServer(async (request, response) => {
    const body = await readBody(request, 20_000_000);
    const headers = Object.fromEntries(
      ['content-type', 'content-encoding'].flatMap((name) =>
        request.headers[name] ? [[name, String(request.headers[name])]] : [],
      ),
    );
    const answer = await house.client.send(`POST ${request.url}`, { call: callOf({ principal }), body, headers });
    response.writeHead(answer.status, { 'content-type': String(answer.headers['content-type']) });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An agent's principal, by a number that makes it another's. */
export function agentOf(number: number): Principal & { agentId: string } {
  const id = nodeId('Agent', `01890000-0000-7000-8000-${String(number).padStart(12, '0')}`);
  return { id, agentId: id, kind: 'AGENT', name: `agent-${number}`, scopes: ['agent'] };
}

/** A clock that stands still until it is moved. */
export function standingClock(startMs: number): Clock & { move(ms: number): void } {
  let nowMs = startMs;
  return {
    nowMs: () => nowMs,
    uuid: systemClock.uuid,
    random: () => 0.5,
    move(ms) {
      nowMs += ms;
    },
  };
}
