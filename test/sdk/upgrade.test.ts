import { connect } from '../../sdk/index.ts';
import { until } from '../support/until.ts';
import { ContractServer, command } from './contract-server.ts';

const server = new ContractServer();
const beats = () => server.agent('scout-1').beats;
beforeAll(() => {
  server.beatEveryMs = 50;
  return server.start();
});
afterAll(() => server.stop());

test('a version that is asked for is told once the program has switched to it, with its configuration', async () => {
  const agent = await connect({ url: server.url, token: 'enrol', name: 'scout-1', kind: 'scout', version: '1.0.0' });
  const asked = (version: string, config: object, configVersion: number) =>
    command(agent.id, 'upgrade', { version, from: agent.version, config, configVersion }, `to-${version}`);
  const before = agent.version;
  server.agent('scout-1').commands.push(asked('9.0.0', { deep: 2 }, 2));
  await until(() => server.completed.length === 1);
  expect(server.completed[0]).toMatchObject({ outcome: 'REFUSED' });
  const switched: unknown[] = [];
  agent.onUpgrade((to) => {
    if (to.version === '9.2.0') throw new Error('it does not start');
    switched.push(to);
  });
  server.agent('scout-1').commands.push(asked('9.1.0', { deep: 3 }, 2));
  await until(() => beats().at(-1)?.['version'] === '9.1.0');
  expect(beats().at(-1)).toMatchObject({ version: '9.1.0', configVersion: 2 });
  expect(switched).toEqual([{ version: '9.1.0', from: before, config: { deep: 3 }, configVersion: 2 }]);
  expect(agent.config).toEqual({ deep: 3 });
  server.agent('scout-1').commands.push(asked('9.2.0', { deep: 4 }, 3));
  await until(() => server.completed.length === 3);
  expect(server.completed[2]).toMatchObject({ outcome: 'FAILED', result: { message: 'it does not start' } });
  expect(agent.version).toBe('9.1.0');
  await agent.close();
});
