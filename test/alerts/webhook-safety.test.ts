import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Vault } from '../../lib/vault.ts';
import { isPublicAddress, postOnce, webhookHeaders } from '../../lib/webhook/index.ts';

test.each(['1.1.1.1', '140.82.112.3', '2606:4700::1111', '2a00:1450:4001::1'])('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  '127.0.0.1',
  '10.1.2.3',
  '172.31.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '224.0.0.1',
  '255.255.255.255',
  '::1',
  '::',
  '::ffff:127.0.0.1',
  '::ffff:1.1.1.1',
  'fe80::1',
  'fd00::1',
  'ff02::1',
  '2001:db8::1',
  '2002:7f00:1::1',
  '64:ff9b::7f00:1',
  'localhost',
])('%s is not public', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test('a signature is the one of the Standard Webhooks specification', () => {
  // Test vector of the reference libraries.
  const headers = webhookHeaders(
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    '{"test": 2432232314}',
    1_614_265_330_000,
  );
  expect(headers).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('a contact point without a secret is named and dated, but not signed', () => {
  expect(webhookHeaders('a', null, '{}', 5_999)).toEqual({ 'webhook-id': 'a', 'webhook-timestamp': '5' });
});

test('a secret opens only under the name it was sealed for, and every sealing differs', () => {
  const vault = new Vault(randomBytes(32));
  const sealed = vault.seal('pager', 'hush');
  expect(vault.open('pager', sealed)).toBe('hush');
  expect(sealed.equals(vault.seal('pager', 'hush'))).toBe(false);
  expect(() => vault.open('other', sealed)).toThrow();
  expect(() => new Vault(randomBytes(32)).open('pager', sealed)).toThrow();
  expect(vault.mark('hush')).toBe(vault.mark('hush'));
  expect(vault.mark('hush')).not.toBe(new Vault(randomBytes(32)).mark('hush'));
});

describe('one post', () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.headers.host} ${request.url}`);
    if (request.url === '/silent') return;
    response.writeHead(request.url === '/away' ? 302 : 200, { location: '/elsewhere' }).end('body');
  });
  let port = 0;

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('goes to the address its name was resolved to once, under its own name', async () => {
    let resolved = 0;
    const resolve = async () => {
      resolved += 1;
      return [{ address: '127.0.0.1' }];
    };
    const status = await postOnce(`http://pager.example:${port}/in?a=1`, {}, '{}', {
      allowPrivate: true,
      timeoutMs: 5_000,
      resolve,
    });
    expect([status, resolved, asked.at(-1)]).toEqual([200, 1, `pager.example:${port} /in?a=1`]);
  });

  test('is refused when any address of its name is private', async () => {
    const resolve = async () => [{ address: '1.1.1.1' }, { address: '127.0.0.1' }];
    const options = { allowPrivate: false, timeoutMs: 5_000, resolve };
    const before = asked.length;
    await expect(postOnce(`http://pager.example:${port}/`, {}, '{}', options)).rejects.toThrow('not a public address');
    await expect(postOnce(`http://127.0.0.1:${port}/`, {}, '{}', options)).rejects.toThrow('not a public address');
    await expect(postOnce(`http://[::1]:${port}/`, {}, '{}', options)).rejects.toThrow('not a public address');
    expect(asked.length).toBe(before);
  });

  test('follows no redirect', async () => {
    const before = asked.length;
    expect(await postOnce(`http://127.0.0.1:${port}/away`, {}, '{}', { allowPrivate: true, timeoutMs: 5_000 })).toBe(
      302,
    );
    expect(asked.length).toBe(before + 1);
  });

  test('gives up when its time is over, also while the name is resolved', async () => {
    const options = { allowPrivate: true, timeoutMs: 50 };
    await expect(postOnce(`http://127.0.0.1:${port}/silent`, {}, '{}', options)).rejects.toThrow(/abort/i);
    const resolve = () => new Promise<never>(() => undefined);
    await expect(postOnce(`http://slow.example:${port}/`, {}, '{}', { ...options, resolve })).rejects.toThrow(
      /timeout/i,
    );
  });

  test('says when a name has no address, and speaks TLS to https', async () => {
    const nowhere = { allowPrivate: true, timeoutMs: 5_000, resolve: async () => [] };
    await expect(postOnce('http://nowhere.example/', {}, '{}', nowhere)).rejects.toThrow('no address');
    const here = { ...nowhere, resolve: async () => [{ address: '127.0.0.1' }] };
    await expect(postOnce(`https://pager.example:${port}/`, {}, '{}', here)).rejects.toThrow(
      /SSL|TLS|EPROTO|wrong version|packet/i,
    );
    await expect(postOnce(`https://127.0.0.1:${port}/`, {}, '{}', here)).rejects.toThrow();
  });
});
