import { isLoopback, loadSettings } from '../../lib/settings/index.ts';

describe('settings', () => {
  test('have defaults that need nothing set', () => {
    expect(loadSettings({ PORT: '' })).toMatchObject({
      PORT: 4_000,
      HOST: '127.0.0.1',
      FLEET_DATA: '.data',
      FLEET_HOUSES: {},
    });
  });

  test.each([
    [{ FLEET_DATE: 'x' }, 'FLEET_DATE is not a setting'],
    [{ PORT: 'x' }, 'PORT is wrong'],
    [{ DATABASE_URL: 'mysql://x' }, 'expected an address such as postgres://'],
    [{ FLEET_ADMIN_TOKEN: 'short' }, 'expected 16 to 512 visible ASCII characters'],
    [{ FLEET_HOUSES: 'agents' }, 'expected name=http://host:port'],
    [{ FLEET_PRICES: '{' }, 'expected JSON such as'],
    [{ FLEET_PRICES: '{"m":{"input":-1,"output":1}}' }, 'FLEET_PRICES is wrong'],
  ])('%j is refused in one line', (env, message) => {
    expect(() => loadSettings(env)).toThrow(message);
  });

  test('read lists, addresses, flags and prices', () => {
    const settings = loadSettings({
      CORS_ORIGINS: 'https://a.example, https://b.example',
      FLEET_HOUSES: 'agents=http://a:1,logs=http://b:2',
      FLEET_WEBHOOK_PRIVATE: '1',
      FLEET_PRICES: '{"m":{"input":1,"output":2}}',
      FLEET_URL: 'only our clients read it',
    });
    expect(settings).toMatchObject({
      CORS_ORIGINS: ['https://a.example', 'https://b.example'],
      FLEET_HOUSES: { agents: 'http://a:1', logs: 'http://b:2' },
      FLEET_WEBHOOK_PRIVATE: true,
      FLEET_PRICES: { m: { input: 1, output: 2 } },
    });
  });

  test('know loopback from elsewhere', () => {
    expect(['127.0.0.1', '::1', 'localhost', '0.0.0.0', '::', '10.0.0.1'].map(isLoopback)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
