import { isIP } from 'node:net';
import { FleetError } from '../../../lib/errors.ts';
import type { FoundEndpoint } from './endpoint-query.ts';

/** The service type of all agents: kinds and capabilities are its subtypes (RFC 6763, 7.1). */
const SERVICE = '_fleet-agent._tcp';
const TTL_S = 5;
const LABEL_BYTES = 63;
const TEXT_BYTES = 255;
const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+$/i;

/**
 * Endpoints as a zone file (RFC 1035, 5.1) of DNS-based service discovery (RFC 6763), for a name server to load.
 * @param domain with its dot at the end
 * @throws BAD_INPUT for a domain that is none
 */
export function dnsZone(found: readonly FoundEndpoint[], domain: string): string {
  if (!DOMAIN.test(domain) || domain.length > 200) {
    throw new FleetError('BAD_INPUT', 'a domain is a name such as agents.example.', { field: ['domain'] });
  }
  const service = `${SERVICE}.${domain}`;
  const records = new Set([`_services._dns-sd._udp.${domain} ${TTL_S} IN PTR ${service}`]);
  for (const endpoint of found) for (const record of recordsOf(endpoint, service, domain)) records.add(record);
  return `${[...records].join('\n')}\n`;
}

function recordsOf(endpoint: FoundEndpoint, service: string, domain: string): string[] {
  const { protocol, hostname, port, pathname } = new URL(endpoint.url);
  const number = port || (protocol === 'https:' ? '443' : '80');
  const instance = `${labelOf(`${endpoint.agent} ${endpoint.endpoint}`)}.${service}`;
  const host = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  const target = family ? `${host.replace(/[.:]/g, '-')}.${domain}` : `${host}.`;
  const texts = [
    `endpoint=${endpoint.endpoint}`,
    `kind=${endpoint.kind}`,
    `version=${endpoint.version}`,
    `scheme=${protocol.slice(0, -1)}`,
    `path=${pathname}`,
  ];
  const subtypes = new Set([endpoint.kind, ...endpoint.capabilities]);
  return [
    `${service} ${TTL_S} IN PTR ${instance}`,
    ...[...subtypes].map((name) => `${labelOf(`_${name}`)}._sub.${service} ${TTL_S} IN PTR ${instance}`),
    `${instance} ${TTL_S} IN SRV 0 ${Math.max(1, endpoint.health)} ${number} ${target}`,
    `${instance} ${TTL_S} IN TXT ${texts.map(quoted).join(' ')}`,
    ...(family ? [`${target} ${TTL_S} IN ${family === 4 ? 'A' : 'AAAA'} ${host}`] : []),
  ];
}

/** Any text as one label: what is no letter, digit, - or _ is escaped by its number. */
function labelOf(text: string): string {
  const bytes = Buffer.from(text).subarray(0, LABEL_BYTES);
  return [...bytes]
    .map((byte) => (/[\w-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : escaped(byte)))
    .join('');
}

function quoted(text: string): string {
  const bytes = Buffer.from(text).subarray(0, TEXT_BYTES);
  return `"${[...bytes].map((byte) => (byte < 32 || byte > 126 || byte === 34 || byte === 92 ? escaped(byte) : String.fromCharCode(byte))).join('')}"`;
}

const escaped = (byte: number): string => `\\${String(byte).padStart(3, '0')}`;
