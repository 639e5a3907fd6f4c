import { appendFileSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Terminal } from '../cli/terminal.ts';
import { until } from '../support/until.ts';
import { type Fate, LinesDoor } from './lines-door.ts';
import { bodies, type LogsHouse, startLogsHouse } from './support.ts';

let house: LogsHouse;
let door: LinesDoor;
let fates: Fate[] = [];
const terminal = new Terminal();
const before = { ...process.env };

beforeAll(async () => {
  house = await startLogsHouse();
  door = new LinesDoor(house.client);
  door.fate = () => fates.shift() ?? 'given';
  await door.start();
  process.env['FLEET_URL'] = door.url;
  process.env['FLEET_TOKEN'] = 'token';
});
afterAll(async () => {
  process.env = before;
  terminal.close();
  await door.stop();
  await house.close();
});

const newFile = (text = '') => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'ship-')), 'app.log');
  writeFileSync(file, text);
  return file;
};

describe('fleet logs ship', () => {
  test('an answer that was lost, a kill, new lines meanwhile: every line is stored once', async () => {
    const file = newFile('{"event":"one"}\n{"event":"two"}\n');
    fates = ['lost', ...Array<'busy'>(1_000).fill('busy')];
    const first = terminal.run('logs', 'ship', file, '--as', 'killed');
    await until(() => door.asked >= 2);
    terminal.hangUp();
    await first;
    fates = [];
    appendFileSync(file, '{"event":"three"}\nfour');
    const { out, code } = await terminal.run('logs', 'ship', file, '--as', 'killed', '--no-follow');
    expect([out, code]).toEqual(['4 lines stored, 0 refused\n', 0]);
    expect((await bodies(house, { services: ['killed'] })).sort()).toEqual(['four', 'one', 'three', 'two']);
    const again = await terminal.run('logs', 'ship', file, '--no-follow');
    expect(again.out).toBe('0 lines stored, 0 refused\n');
  });

  test('follows over a rename, and keeps where it stands where it is told', async () => {
    const file = newFile('first\n');
    const offsets = `${file}.place`;
    const running = terminal.run('logs', 'ship', file, '--as', 'turned', '--offset-file', offsets);
    await until(async () => (await bodies(house, { services: ['turned'] })).length === 1);
    appendFileSync(file, 'second\n');
    renameSync(file, `${file}.1`);
    writeFileSync(file, 'third\n');
    await until(async () => (await bodies(house, { services: ['turned'] })).length === 3);
    await until(() => JSON.parse(readFileSync(offsets, 'utf8')).pending === 0);
    terminal.hangUp();
    expect((await running).out).toBe('3 lines stored, 0 refused\n');
  });

  test('what is piped in, line by line; refused lines are told, and what is forbidden ends it', async () => {
    terminal.stdin = '{"event":"piped","service":"pipe"}\n{"cut\n{"event":"last","service":"pipe"}';
    const ran = await terminal.run('logs', 'ship', '-', '--json');
    terminal.stdin = '';
    expect(JSON.parse(ran.out)).toEqual({ lines: 3, rejected: 1 });
    expect(ran.err).toContain('the line is not JSON (record 1)');
    expect((await bodies(house, { services: ['pipe'] })).sort()).toEqual(['last', 'piped']);
    const missing = await terminal.run('logs', 'ship', path.join(tmpdir(), 'no', 'such', 'file'), '--no-follow');
    expect(missing.out).toBe('0 lines stored, 0 refused\n');
    const long = await terminal.run('logs', 'ship', newFile('x\n'), '--as', 'x'.repeat(300));
    expect([long.code !== 0, long.err]).toEqual([true, expect.stringContaining('400')]);
  });
});
