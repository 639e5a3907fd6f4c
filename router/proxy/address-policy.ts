import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { FleetError } from '../../lib/errors.ts';
import { isPublicAddress } from '../../lib/webhook/address.ts';

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'];
/** Where clouds tell a machine its secrets, and what no host is: refused whatever is allowed. */
const NEVER = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '100.100.100.200/32',
  '192.0.0.192/32',
  '224.0.0.0/3',
  '::/128',
  'fe80::/10',
  'fd00:ec2::/32',
  'fd20:ce::/32',
  'ff00::/8',
];
const WORDS: Readonly<Record<string, readonly string[]>> = { loopback: LOOPBACK, private: PRIVATE, public: [] };
/** How long the meaning of a name is believed, milliseconds. */
const NAME_MS = 5_000;
const MOST_NAMES = 10_000;

const familyOf = (address: string) => (isIP(address) === 4 ? 'ipv4' : 'ipv6');
const never = blockList(NEVER);

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    list.addSubnet(address, Number(bits), familyOf(address));
  }
  return list;
}

/** An IPv4 address in IPv6's clothing is judged as what it is. */
const bare = (address: string) => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');

/** Which addresses may be called: what registered itself says where it is, and must not lead us where its owner could not go. */
export class AddressPolicy {
  readonly #allowed: BlockList;
  readonly #isPublicAllowed: boolean;
  readonly #names = new Map<string, { address: string; untilMs: number }>();

  /** @param networks loopback, private, public, or such as 10.0.0.0/8 */
  constructor(
    networks: readonly string[],
    private readonly nowMs: () => number,
    private readonly resolve = (host: string) => lookup(host, { all: true }),
  ) {
    this.#allowed = blockList(networks.flatMap((network) => WORDS[network] ?? [network]));
    this.#isPublicAllowed = networks.includes('public');
  }

  allows(given: string): boolean {
    const address = bare(given);
    if (!isIP(address) || /^::ffff:/i.test(address) || never.check(address, familyOf(address))) return false;
    return this.#allowed.check(address, familyOf(address)) || (this.#isPublicAllowed && isPublicAddress(address));
  }

  /**
   * The address to connect to: a name is resolved here, so that what was looked at is what is called.
   * @param host a name or an address, as a URL has it
   * @throws FORBIDDEN, or what the resolver said
   */
  addressOf(host: string): string | Promise<string> {
    const plain = host.replace(/^\[|\]$/g, '');
    if (isIP(plain)) return this.#require([plain]);
    const known = this.#names.get(plain);
    return known && this.nowMs() < known.untilMs ? known.address : this.#resolved(plain);
  }

  async #resolved(host: string): Promise<string> {
    const address = this.#require((await this.resolve(host)).map((found) => found.address));
    if (this.#names.size >= MOST_NAMES) this.#names.clear();
    this.#names.set(host, { address, untilMs: this.nowMs() + NAME_MS });
    return address;
  }

  /** One that is refused among several is a trap: which one is taken must not matter. */
  #require(addresses: readonly string[]): string {
    const [first] = addresses;
    if (first === undefined || !addresses.every((address) => this.allows(address))) {
      throw new FleetError('FORBIDDEN', 'this service is at an address that is not called from here');
    }
    return bare(first);
  }
}
