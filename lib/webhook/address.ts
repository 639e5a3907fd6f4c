import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { FleetError } from '../errors.ts';

const V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
];
/** Within 2000::/3, the only part of IPv6 that is public: what is documentation, a tunnel or a relay into IPv4. */
const V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const refused = new BlockList();
const global6 = new BlockList();
global6.addSubnet('2000::', 3, 'ipv6');
for (const block of V4) refused.addSubnet(...subnet(block), 'ipv4');
for (const block of V6) refused.addSubnet(...subnet(block), 'ipv6');

function subnet(block: string): [string, number] {
  const [address = '', bits] = block.split('/');
  return [address, Number(bits)];
}

/** Whether an IP address belongs to the public internet (IANA special-purpose registries). */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !refused.check(address, 'ipv4');
  return family === 6 && global6.check(address, 'ipv6') && !refused.check(address, 'ipv6');
}

/** Where a connection may go. */
export interface Reach {
  /** Whether it may go to private and loopback addresses. */
  allowPrivate: boolean;
  /** Resolves a name; the machine's resolver without it. */
  resolve?: (host: string) => Promise<Pick<LookupAddress, 'address'>[]>;
}

const resolveHere = (host: string) => lookup(host, { all: true });

/**
 * The address to connect to: the name is resolved once, so that it cannot change its meaning between this look and the connection.
 * @param host a name or an address, without brackets
 * @throws FORBIDDEN when the target is not public; whatever the resolver said otherwise
 */
export async function checkedAddress(host: string, reach: Reach, signal: AbortSignal): Promise<string> {
  const found = isIP(host) ? [{ address: host }] : await before(signal, (reach.resolve ?? resolveHere)(host));
  const [first] = found;
  if (!first) throw new Error('the target’s name has no address');
  // One private address among several is a trap: which one is taken must not matter.
  if (!reach.allowPrivate && !found.every(({ address }) => isPublicAddress(address))) {
    throw new FleetError('FORBIDDEN', 'the target is not a public address');
  }
  return first.address;
}

/** Gives up waiting when the signal says so. */
function before<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    promise.then(resolve, reject);
  });
}
