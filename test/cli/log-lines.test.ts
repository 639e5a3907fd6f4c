import { logLine } from '../../cli/output/log-line.ts';
import { ContractServer } from '../sdk/contract-server.ts';
import { Terminal } from './terminal.ts';

const LINE = {
  id: 'log-1',
  time: '2026-01-01T00:00:00.000Z',
  severity: 'ERROR',
  service: 'checkout',
  body: 'slow \u001b[2J',
  attributes: { tries: 3, user: { id: 7 }, 'http.status': 500 },
  traceId: null,
  spanId: null,
  agent: null,
};

describe('lines of a log on a terminal', () => {
  const server = new ContractServer();
  const terminal = new Terminal();
  const before = { ...process.env };

  beforeAll(async () => {
    await server.start();
    Object.assign(process.env, { FLEET_URL: server.url, FLEET_TOKEN: 'token' });
    delete process.env['NO_COLOR'];
    server.fields['logs'] = () => ({ changeCursor: 'c', nodes: [LINE] });
  });
  afterAll(async () => {
    process.env = before;
    terminal.close();
    await server.stop();
  });

  test('are coloured on a terminal and when it is wanted; never where NO_COLOR is set, nor in a pipe', async () => {
    expect((await terminal.run('logs')).out).not.toContain('\u001b[');
    const { out } = await terminal.run('logs', '--color', 'always');
    expect(out).toContain('\u001b[31mERROR\u001b[0m');
    // What a line brings itself does not reach the terminal.
    expect(out).not.toContain('\u001b[2J');
    terminal.columns = 80;
    expect((await terminal.run('logs')).out).toBe(out);
    expect((await terminal.run('logs', '--color', 'never')).out).not.toContain('\u001b[');
    process.env['NO_COLOR'] = '1';
    expect((await terminal.run('logs')).out).not.toContain('\u001b[');
    delete process.env['NO_COLOR'];
    terminal.columns = undefined;
  });

  test('have the columns that are asked for', async () => {
    const shown = async (columns: string) => (await terminal.run('logs', '--columns', columns)).out;
    expect(await shown('severity,attributes.user.id,attributes.http.status,attributes.none,body')).toBe(
      'ERROR 7 500 -  slow  [2J\n',
    );
    expect(await shown('id,traceId,spanId,agent,service,time')).toBe('log-1 - - - checkout 2026-01-01T00:00:00.000Z\n');
    expect(await terminal.run('logs', '--columns', 'nonsense')).toMatchObject({ code: 2 });
    expect(await terminal.run('logs', '--severity', 'loud')).toMatchObject({ code: 2 });
  });

  test('the same source has the same colour, others mostly another', () => {
    const colour = (service: string) =>
      /\[(\d+)m/.exec(logLine({ ...LINE, service }, { columns: ['service'], isColoured: true }))?.[1];
    expect(colour('a')).toBe(colour('a'));
    expect(new Set(['a', 'b', 'c', 'd', 'e', 'f'].map(colour)).size).toBeGreaterThan(3);
  });

  test('a saved search is asked by its name; it is listed, saved and forgotten', async () => {
    await terminal.run('logs', '--saved', 'failing', 'slow');
    expect(server.calls.at(-1)?.variables['filter']).toEqual({ savedSearch: 'failing', query: 'slow' });
    const saved = {
      name: 'failing',
      version: 2,
      query: 'a OR b',
      description: 'first',
      owner: { id: 'x', name: 'ann' },
    };
    server.fields['savedLogSearches'] = () => [saved];
    expect((await terminal.run('searches')).out).toBe(
      'NAME     VERSION  BY   SEARCH  WHAT FOR\nfailing        2  ann  a OR b  first\n',
    );
    expect(JSON.parse((await terminal.run('searches', '--json')).out)).toEqual([saved]);
    server.fields['applySavedLogSearch'] = () => ({ savedSearch: saved, userErrors: [] });
    const ran = await terminal.run(
      'searches',
      'save',
      'failing',
      'a',
      'OR',
      'b',
      '--version',
      '1',
      '--description',
      'first',
    );
    expect(ran).toMatchObject({ code: 0, out: 'failing is at version 2: a OR b\n' });
    expect(server.calls.at(-1)?.variables['input']).toEqual({
      name: 'failing',
      query: 'a OR b',
      description: 'first',
      expectedVersion: 1,
    });
    server.fields['deleteSavedLogSearch'] = () => ({ name: 'failing', userErrors: [] });
    expect((await terminal.run('searches', 'delete', 'failing')).out).toBe('failing is forgotten\n');
    server.fields['deleteSavedLogSearch'] = () => ({ name: null, userErrors: [{ code: 'NOT_FOUND', message: 'no' }] });
    expect((await terminal.run('searches', 'delete', 'failing')).code).toBe(4);
  });
});
