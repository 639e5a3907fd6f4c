import { createSocket, type Socket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLog } from '../../../lib/log.ts';
import { mayBeCalled } from '../../../router/discovery/address.ts';
import type { Findings } from '../../../router/discovery/discovery.ts';
import { DnsDiscovery, dnsPlaceOf } from '../../../router/discovery/dns-discovery.ts';
import { FileDiscovery } from '../../../router/discovery/file-discovery.ts';
import { parseFindings } from '../../../router/discovery/findings.ts';
import { until } from '../../support/until.ts';

let stop = () => {};
let told: Findings[] = [];
beforeEach(() => {
  told = [];
});
afterEach(() => {
  stop();
  stop = () => {};
});

test('a file’s subgraphs are told, and told anew when it changes; a wrong file changes nothing', async () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'found-')), 'subgraphs.json');
  const write = (text: string) => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  write('{"reviews":{"urls":["http://a:1/graphql"]}}');
  stop = new FileDiscovery(file, silentLog).watch((found) => told.push(found));
  await until(() => told.length === 1);
  write('{"reviews":');
  rmSync(file);
  write('{"reviews":{"urls":["http://a:2/graphql"],"sdl":"type Query { a: Int }"}}');
  await until(() => told.length === 2);
  expect(told).toEqual([
    { reviews: { urls: ['http://a:1/graphql'] } },
    { reviews: { urls: ['http://a:2/graphql'], sdl: 'type Query { a: Int }' } },
  ]);
});

test.each([
  ['{"a b":{"urls":[]}}', /a b/],
  ['{"a":{"urls":["ftp://x"]}}', /a\.urls\.0/],
  ['{"a":{"urls":[],"more":1}}', /more/],
  [JSON.stringify({ a: { urls: Array.from({ length: 101 }, (_, at) => `http://a:${at}/`) } }), /a\.urls/],
  [JSON.stringify(Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`a${at}`, { urls: [] }]))), /too many/],
])('%s is refused', (text, reason) => {
  expect(() => parseFindings(text)).toThrow(reason);
});

test('the example of docs/router.md is what it says', () => {
  const [, example = ''] = /```json\n(.*)\n```/.exec(readFileSync('docs/router.md', 'utf8')) ?? [];
  expect(parseFindings(example)['reviews']?.urls).toHaveLength(2);
});

test.each([
  ['the metadata of a cloud', 'http://169.254.169.254/latest/meta-data'],
  ['the same as one number', 'http://2852039166/'],
  ['the same in octal', 'http://0251.0376.0251.0376/'],
  ['the same inside of IPv6', 'http://[::ffff:169.254.169.254]/'],
  ['the link of IPv6', 'http://[fe80::1]:4001/graphql'],
  ['the metadata of a cloud by IPv6', 'http://[fd00:ec2::254]/'],
  ['nowhere', 'http://0.0.0.0:4001/graphql'],
  ['nowhere in IPv6', 'http://[::]:4001/graphql'],
  ['many at once', 'http://239.1.1.1/'],
  ['a place with a password', 'http://user:secret@10.0.0.1/graphql'],
  ['a file', 'file:///etc/passwd'],
  ['gopher', 'gopher://10.0.0.1:6379/_x'],
])('%s is no address of a subgraph', (_, address) => {
  expect(mayBeCalled(address)).toBe(false);
  expect(() => parseFindings(JSON.stringify({ a: { urls: [address] } }))).toThrow(/a\.urls\.0/);
});

test.each([
  'http://10.0.0.1:4001/graphql',
  'http://127.0.0.1:4001/',
  'https://[fd12::1]/graphql',
  'http://reviews:4001/',
])('%s is one', (address) => {
  expect(mayBeCalled(address)).toBe(true);
});

/** A name server that answers A and SRV questions as the test says. */
async function nameServer(answers: () => { a: string[]; srv: { name: string; port: number }[] } | undefined) {
  const socket: Socket = createSocket('udp4');
  const nameOf = (name: string) =>
    Buffer.concat([
      ...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
      Buffer.from([0]),
    ]);
  socket.on('message', (question, from) => {
    const known = answers();
    if (!known) return;
    const end = question.indexOf(0, 12) + 5;
    const type = question.readUInt16BE(end - 4);
    const data =
      type === 1
        ? known.a.map((address) => Buffer.from(address.split('.').map(Number)))
        : known.srv.map(({ name, port }) =>
            Buffer.concat([Buffer.from([0, 0, 0, 0, port >> 8, port & 255]), nameOf(name)]),
          );
    const records = data.map((each) => {
      const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, each.length]);
      return Buffer.concat([head, each]);
    });
    const header = Buffer.from(question.subarray(0, 12));
    header.writeUInt16BE(0x8180, 2);
    header.writeUInt16BE(records.length, 6);
    header.writeUInt32BE(0, 8);
    socket.send(Buffer.concat([header, question.subarray(12, end), ...records]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([`127.0.0.1:${(socket.address() as AddressInfo).port}`]);
  return { resolver, close: () => socket.close() };
}

test('replicas are found by SRV and A records; a name server that is away, or knows none, changes nothing', async () => {
  let known: { a: string[]; srv: { name: string; port: number }[] } | undefined = {
    a: ['10.0.0.2', '10.0.0.1'],
    srv: [{ name: 'one.fleet', port: 4001 }],
  };
  let asked = 0;
  const server = await nameServer(() => {
    asked += 1;
    return known;
  });
  const places = {
    ships: dnsPlaceOf('dns://ships.fleet:4002/graphql'),
    reviews: dnsPlaceOf('dns+srv://_graphql._tcp.reviews.fleet'),
  };
  const { resolver } = server;
  const end = new DnsDiscovery({ places, resolver, everyMs: 50, log: silentLog }).watch((found) => told.push(found));
  stop = () => {
    end();
    server.close();
  };
  await until(() => told.length === 1);
  expect(told[0]).toEqual({
    ships: { urls: ['http://10.0.0.1:4002/graphql', 'http://10.0.0.2:4002/graphql'] },
    reviews: { urls: ['http://one.fleet:4001/graphql'] },
  });
  for (const away of [undefined, { a: [], srv: [] }]) {
    known = away;
    const before = asked;
    await until(() => asked >= before + 4);
  }
  known = { a: ['10.0.0.3'], srv: [{ name: 'one.fleet', port: 4001 }] };
  await until(() => told.length > 1);
  await until(() => told.at(-1)?.['ships']?.urls.join() === 'http://10.0.0.3:4002/graphql');
  expect(told).toHaveLength(2);
});

test('a place that is no DNS name is refused', () => {
  expect(() => dnsPlaceOf('dns://ships.fleet/graphql')).toThrow('neither');
  expect(() => dnsPlaceOf('http://ships.fleet')).toThrow('neither');
});
