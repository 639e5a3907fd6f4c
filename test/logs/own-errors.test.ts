import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import { fixedFlags } from '../../lib/flags/index.ts';
import { Log } from '../../lib/log.ts';
import { RotatingFile } from '../../lib/log-file.ts';
import { LogShipper } from '../../lib/log-shipper.ts';
import { publicError } from '../../lib/serve/errors.ts';
import { FleetLink, machine } from '../../sdk/index.ts';
import { ContractServer, command } from '../sdk/contract-server.ts';
import { type AnyShape, callOf } from '../support/house.ts';
import { until } from '../support/until.ts';
import { type LogsHouse, startLogsHouse } from './support.ts';

let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse();
});
afterAll(() => house.close());

async function groups(services: string[]): Promise<AnyShape[]> {
  const query = `query ($filter: LogFilter) {
    errorGroups(filter: $filter) { nodes { code place message severity count versions services trace { traceId } } } }`;
  return (await house.ask(query, { filter: { services } })).data.errorGroups.nodes;
}

test('a fault of a house, a crash and an ended process become groups with their place and version', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'own-errors-'));
  const file = new RotatingFile(folder, 'state');
  const log = new Log('state', [file], () => systemClock.nowMs());
  for (const number of [1, 2]) publicError(new TypeError(`row ${number} has no id`), callOf(), log);
  // A caller's mistake is no error of ours.
  publicError(new FleetError('BAD_INPUT', 'a page has 1 to 100 items'), callOf(), log);
  log.error('child.ended', { child: 'telemetry', error: 'telemetry ended by SIGKILL', signal: 'SIGKILL' });
  file.close();
  const flags = fixedFlags({ 'platform.own-logs': true });
  const shipper = new LogShipper(folder, 'state', house.client, systemClock, flags, '0.1.0');
  while (await shipper.ship());
  const found = await groups(['fleetgraph.state']);
  expect(found).toMatchObject([
    { message: 'child.ended: telemetry ended by SIGKILL', place: 'fleetgraph.state', count: 1, versions: ['0.1.0'] },
    { message: 'request.failed: row <n> has no id', count: 2, severity: 'ERROR' },
  ]);
  expect(found[1]?.place).toContain('own-errors.test.ts');
});

test('what fails in an agent becomes a group: a hook, a command, a configuration, a task that logs it', async () => {
  const server = new ContractServer();
  await server.start();
  // What the agent sends goes on to the house, byte for byte.
  const sent: Promise<unknown>[] = [];
  server.gate = (place, body) => {
    if (place === '/v1/logs') sent.push(house.client.send('POST /v1/logs', { call: callOf(), body }));
    return undefined;
  };
  const link = new FleetLink({ url: server.url, token: 'enrol', surroundings: machine(), outbox: { flushEveryMs: 5 } });
  const agent = await link.connect({ name: 'clumsy', kind: 'clumsy', version: '2.0.0' });
  agent.on('start', () => {
    throw new RangeError('no room for 17');
  });
  agent.onConfig(() => {
    throw new Error('no such model');
  });
  agent.onCommand('trip', () => {
    throw Object.assign(new Error('tripped over 3'), { code: 'E_TRIP' });
  });
  await until(() => agent.state === 'FAILED');
  server.agent('clumsy').commands.push(command(agent.id, 'trip'));
  await until(() => server.completed.some(({ outcome }) => outcome === 'FAILED'));
  server.agent('clumsy').configVersion = 2;
  await until(() => server.records('logs').length >= 3);
  await link.close(1_000);
  await server.stop();
  await Promise.all(sent);
  const found = await groups(['clumsy']);
  const told = found.map(({ code, message, versions }) => [code, message, ...versions]);
  expect(told).toEqual(
    expect.arrayContaining([
      ['RangeError', 'start failed: no room for <n>', '2.0.0'],
      ['E_TRIP', 'command trip failed: tripped over <n>', '2.0.0'],
      ['Error', 'the new configuration was not taken over: no such model', '2.0.0'],
    ]),
  );
  expect(found.every(({ trace, place }) => trace && place.includes('own-errors.test.ts'))).toBe(true);
});
