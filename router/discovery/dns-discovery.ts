import { messageOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { Worker } from '../../lib/worker.ts';
import { DISCOVERY_LIMITS, type Discovery, type Findings } from './discovery.ts';

/** Where a subgraph's replicas are found: `dns+srv://name/path` by SRV records, `dns://name:port/path` by A records. */
export interface DnsPlace {
  readonly kind: 'SRV' | 'A';
  readonly name: string;
  /** For A records. */
  readonly port: number;
  /** /graphql unless given. */
  readonly path: string;
}

/** The part of node:dns' Resolver that is used. */
export interface DnsResolver {
  resolve4(name: string): Promise<string[]>;
  resolveSrv(name: string): Promise<readonly { name: string; port: number }[]>;
}

export interface DnsDiscoveryOptions {
  places: Readonly<Record<string, DnsPlace>>;
  resolver: DnsResolver;
  /** How often names are asked for, milliseconds. */
  everyMs: number;
  log: Log;
}

/** Replicas by DNS. A name that cannot be resolved, or has no records, keeps the addresses it had last. */
export class DnsDiscovery implements Discovery {
  constructor(private readonly options: DnsDiscoveryOptions) {}

  watch(onChange: (findings: Findings) => void): () => void {
    const { places, everyMs, log } = this.options;
    const known = new Map<string, readonly string[]>();
    const ask = async () => {
      let isChanged = false;
      const asked = Object.entries(places).map(async ([subgraph, place]) => {
        const urls = await this.#urlsOf(place).catch((error: unknown) => {
          log.warn('discovery.dns.unresolved', { subgraph, name: place.name, error: messageOf(error) });
          return [];
        });
        if (urls.length === 0 || urls.join() === known.get(subgraph)?.join()) return;
        known.set(subgraph, urls);
        isChanged = true;
      });
      await Promise.all(asked);
      if (isChanged) onChange(Object.fromEntries([...known].map(([subgraph, urls]) => [subgraph, { urls }])));
      return false;
    };
    const worker = new Worker(ask, everyMs, (error) => log.warn('discovery.dns.failed', { error: messageOf(error) }));
    worker.start();
    return () => void worker.stop();
  }

  async #urlsOf({ kind, name, port, path }: DnsPlace): Promise<string[]> {
    const { resolver } = this.options;
    const hosts =
      kind === 'SRV'
        ? (await resolver.resolveSrv(name)).map((record) => `${record.name}:${record.port}`)
        : (await resolver.resolve4(name)).map((address) => `${address}:${port}`);
    // Servers turn their answers round to spread callers; the order says nothing.
    return hosts
      .sort()
      .slice(0, DISCOVERY_LIMITS.replicas)
      .map((host) => `http://${host}${path}`);
  }
}

/** Reads `dns+srv://_graphql._tcp.reviews.internal/graphql` or `dns://reviews.internal:4001/graphql`. @throws Error */
export function dnsPlaceOf(text: string): DnsPlace {
  const url = new URL(text);
  const kind = url.protocol === 'dns+srv:' ? 'SRV' : 'A';
  if (!/^dns(\+srv)?:$/.test(url.protocol) || !url.hostname || (kind === 'A' && !url.port)) {
    throw new Error(`${text} is neither dns+srv://name/path nor dns://name:port/path`);
  }
  return { kind, name: url.hostname, port: Number(url.port), path: url.pathname === '' ? '/graphql' : url.pathname };
}
