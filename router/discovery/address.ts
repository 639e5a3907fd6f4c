import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

/**
 * Where no subgraph lives and a router must not be sent: nowhere, the machine's own link (with a cloud's metadata at
 * 169.254.169.254), and everybody at once. Private addresses are where subgraphs are.
 */
const NEVER = new BlockList();
NEVER.addSubnet('0.0.0.0', 8, 'ipv4');
NEVER.addSubnet('169.254.0.0', 16, 'ipv4');
NEVER.addSubnet('224.0.0.0', 3, 'ipv4');
NEVER.addAddress('::', 'ipv6');
NEVER.addAddress('fd00:ec2::254', 'ipv6');
NEVER.addSubnet('fe80::', 10, 'ipv6');
NEVER.addSubnet('ff00::', 8, 'ipv6');

/** Whether a router may call there: http or https, without credentials, and not where no subgraph lives. */
export function mayBeCalled(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, username, password, hostname } = new URL(address);
  if (!/^https?:$/.test(protocol) || username || password) return false;
  const host = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  // A name that ends with a dot, or an IPv4 address inside of an IPv6 one, is what it stands for: URL and BlockList see to that.
  return family === 0 || !NEVER.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** Where a replica is called: http://host:port/path. */
export const ADDRESS = z
  .string()
  .max(500)
  .regex(/^https?:\/\/[^/]/, 'expected http://host:port/path')
  .refine((url) => URL.canParse(url), 'expected http://host:port/path')
  .refine(mayBeCalled, 'no subgraph may be called there');
