import { Resolver } from 'node:dns/promises';
import type { Log } from '../../lib/log.ts';
import type { Settings } from '../../lib/settings/index.ts';
import { systemPause } from '../subscribe/pause.ts';
import type { Discovery } from './discovery.ts';
import { DnsDiscovery, dnsPlaceOf } from './dns-discovery.ts';
import { EtcdDiscovery } from './etcd-discovery.ts';
import { FileDiscovery } from './file-discovery.ts';

/** The sources that FLEET_DISCOVERY names. @throws Error for one that is none */
export function discoveriesIn({ FLEET_DISCOVERY, FLEET_DISCOVERY_MS }: Settings, log: Log): Discovery[] {
  const places: [string, ReturnType<typeof dnsPlaceOf>][] = [];
  const sources: Discovery[] = [];
  for (const text of FLEET_DISCOVERY) {
    const dns = /^([A-Za-z][\w-]*)=(dns.*)$/.exec(text);
    if (dns) places.push([dns[1] as string, dnsPlaceOf(dns[2] as string)]);
    else if (text.startsWith('file:')) sources.push(new FileDiscovery(text.slice('file:'.length), log));
    else if (text.startsWith('etcd://')) sources.push(etcdOf(text, log));
    else throw new Error(`FLEET_DISCOVERY: ${text} is neither file:, etcd:// nor name=dns://`);
  }
  if (places.length === 0) return sources;
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  return [
    ...sources,
    new DnsDiscovery({ places: Object.fromEntries(places), resolver, everyMs: FLEET_DISCOVERY_MS, log }),
  ];
}

function etcdOf(text: string, log: Log): EtcdDiscovery {
  const { host, pathname } = new URL(text);
  const prefix = pathname.length > 1 ? pathname : '/fleetgraph/subgraphs/';
  return new EtcdDiscovery({ url: `http://${host}`, prefix, pause: systemPause, log });
}
