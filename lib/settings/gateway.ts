import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

const MAX_NETWORKS = 100;
const WORDS: ReadonlySet<string> = new Set(['loopback', 'private', 'public']);

function isNetwork(text: string): boolean {
  if (WORDS.has(text)) return true;
  const [address = '', bits = '', ...more] = text.split('/');
  if (!isIP(address) || !/^\d{1,3}$/.test(bits) || more.length) return false;
  try {
    new BlockList().addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6');
    return true;
  } catch {
    return false;
  }
}

/** Which addresses agents are reached at through the public port. */
export const GATEWAY_SETTINGS = {
  FLEET_AGENT_NETWORKS: z
    .string()
    .default('loopback,private')
    .transform((text, context) => {
      const networks = text.split(',').flatMap((part) => part.trim() || []);
      const wrong = networks.find((network) => !isNetwork(network));
      if (wrong !== undefined) context.addIssue('expected loopback, private, public or networks such as 10.0.0.0/8');
      if (networks.length > MAX_NETWORKS) context.addIssue(`at most ${MAX_NETWORKS} networks`);
      return networks;
    })
    .describe(
      'Networks in which the public port calls agents (`/agents/…`), separated by commas: loopback, private, public, or such as 10.0.0.0/8. Addresses of cloud metadata are never called. Empty: none is.',
    ),
};
