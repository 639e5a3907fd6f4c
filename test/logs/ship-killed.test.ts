import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { HouseClient } from '../../lib/call/house-client.ts';
import { systemClock } from '../../lib/clock.ts';
import { fixedFlags } from '../../lib/flags/index.ts';
import { Log } from '../../lib/log.ts';
import { RotatingFile } from '../../lib/log-file.ts';
import { LogShipper } from '../../lib/log-shipper.ts';
import { builtOnce } from '../support/build.ts';
import { until } from '../support/until.ts';
import { LinesDoor } from './lines-door.ts';
import { type LogsHouse, startLogsHouse } from './support.ts';

const root = path.resolve(__dirname, '../..');
let house: LogsHouse;
let door: LinesDoor;
beforeAll(async () => {
  await builtOnce();
  house = await startLogsHouse();
  door = new LinesDoor(house.client);
  await door.start();
}, 180_000);
afterAll(async () => {
  await door.stop();
  await house.close();
});

/** How often each number was stored. */
async function stored(service: string): Promise<Map<number, number>> {
  const rows = await house.telemetry.query<{ body: string; times: string }>(
    'select body, toString(count()) as times from log where service = {service:String} group by body',
    { service },
  );
  return new Map(rows.map(({ body, times }) => [Number(body.replace('line ', '')), Number(times)]));
}

/** Which numbers were not stored exactly once. */
function wrong(found: Map<number, number>, count: number): number[] {
  const expected = Array.from({ length: count }, (_, at) => at);
  return [...expected.filter((at) => found.get(at) !== 1), ...[...found.keys()].filter((at) => at >= count)];
}

test('a shipper killed at any moment, every third answer lost, files emptied and renamed: each line once', async () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'ship-killed-')), 'app.log');
  let count = 0;
  const write = (lines: number) => {
    for (let left = lines; left > 0; left -= 1) appendFileSync(file, `line ${count++}\n`);
  };
  const start = (...words: string[]): ChildProcess =>
    spawn(process.execPath, ['dist/cli/fleet.js', 'logs', 'ship', file, '--as', 'killed', ...words], {
      cwd: root,
      env: { ...process.env, FLEET_URL: door.url, FLEET_TOKEN: 'token' },
      stdio: 'ignore',
    });
  const rotate = (round: number) => {
    for (let at = 8; at > 0; at -= 1) if (existsSync(`${file}.${at}`)) renameSync(`${file}.${at}`, `${file}.${at + 1}`);
    if (round % 2) {
      renameSync(file, `${file}.1`);
      writeFileSync(file, '');
    } else {
      copyFileSync(file, `${file}.1`);
      truncateSync(file);
    }
  };
  door.fate = (asked) => (asked % 3 === 0 ? 'lost' : asked % 5 === 0 ? 'busy' : 'given');
  write(50);
  for (let round = 0; round < 8; round += 1) {
    const shipper = start();
    const killed = new Promise((resolve) => shipper.once('close', resolve));
    const [before, more] = [door.asked, 1 + (round % 4)];
    // The file grows between its attempts, until it asked so often.
    await until(() => {
      write(1);
      return door.asked >= before + more;
    });
    shipper.kill('SIGKILL');
    await killed;
    write(20);
    rotate(round);
    write(20);
  }
  door.fate = (asked) => (asked % 2 ? 'lost' : 'given');
  const last = start('--no-follow');
  expect(await new Promise((resolve) => last.once('close', resolve))).toBe(0);
  expect(count).toBeGreaterThan(300);
  expect(wrong(await stored('killed'), count)).toEqual([]);
  expect(door.lost).toBeGreaterThan(3);
  expect(JSON.parse(readFileSync(`${file}.shipped.json`, 'utf8')).pending).toBe(0);
}, 120_000);

test('our own lines: answers lost, a new process each time, the file growing: each line once', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'own-killed-'));
  let asked = 0;
  const lossy = {
    send: async (...call: Parameters<HouseClient['send']>) => {
      const answer = await house.client.send(...call);
      asked += 1;
      if (asked % 3) throw new Error('the answer was lost');
      return answer;
    },
  } as unknown as HouseClient;
  const file = new RotatingFile(folder, 'own', 1_000);
  const log = new Log('own', [file], () => 0);
  const ship = () =>
    new LogShipper(folder, 'own', lossy, systemClock, fixedFlags({ 'platform.own-logs': true })).ship();
  let count = 0;
  while (count < 60) {
    for (let lines = 0; lines < 3; lines += 1) log.info(`line ${count++}`);
    await ship().catch(() => undefined);
  }
  await until(async () => !(await ship().catch(() => true)));
  file.close();
  expect(wrong(await stored('fleetgraph.own'), count)).toEqual([]);
});
