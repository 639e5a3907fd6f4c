import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { FleetError } from '../../../../lib/errors.ts';
import { checkedAddress, postOnce, type Reach, webhookHeaders } from '../../../../lib/webhook/index.ts';
import type { Batch, SinkLine } from './batch.ts';

const TIMEOUT_MS = 10_000;
/** Facility 13, log audit (RFC 5424 6.2.1). */
const FACILITY = 13;
const SEVERITY = { SUCCEEDED: 6, FAILED: 5, DENIED: 4 } as const;
const TLS_PORT = 6_514;
const PLAIN_PORT = 601;

export interface SenderOptions extends Reach {
  /** Signs webhooks. */
  secret: string | null;
  /** Authorities that are trusted in place of the system's, PEM. */
  ca?: string | undefined;
  nowMs: () => number;
}

/** Gives a batch to a target. Resolves once the target has taken it. */
export type Sender = (batch: Batch) => Promise<void>;

/** What speaks the target's protocol: https or http, syslog+tls or syslog. */
export function senderOf(target: URL, options: SenderOptions): Sender {
  return target.protocol.startsWith('http')
    ? (batch) => post(target, batch, options)
    : (batch) => speakSyslog(target, batch, options);
}

/** A signed webhook (Standard Webhooks): 2xx is a receipt. */
async function post(target: URL, { id, lines }: Batch, { secret, nowMs, ...options }: SenderOptions): Promise<void> {
  const body = lines.map(({ text }) => `${text}\n`).join('');
  const headers = { ...webhookHeaders(id, secret, body, nowMs()), 'content-type': 'application/x-ndjson' };
  const status = await postOnce(target.href, headers, body, { ...options, timeoutMs: TIMEOUT_MS });
  if (status < 200 || status > 299) throw new FleetError('SUBGRAPH_UNAVAILABLE', `the sink answered ${status}`);
}

/**
 * Syslog (RFC 5424) by octet counting over TLS (RFC 5425) or TCP (RFC 6587). It knows no receipts: the connection is ended by us, and
 * that the other side ends it too says that it has read everything.
 */
async function speakSyslog(target: URL, { lines }: Batch, options: SenderOptions): Promise<void> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const address = await checkedAddress(host, options, signal);
  const isSecure = target.protocol === 'syslog+tls:';
  const port = Number(target.port || (isSecure ? TLS_PORT : PLAIN_PORT));
  const { ca } = options;
  const named = isIP(host) ? {} : { servername: host };
  const socket: Socket = isSecure
    ? connectTls({ host: address, port, ...named, ...(ca ? { ca } : {}) })
    : connectPlain({ host: address, port });
  await new Promise<void>((resolve, reject) => {
    let hasEnded = false;
    const giveUp = () => socket.destroy(new Error('the sink did not take it in 10 s'));
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      socket.end(lines.map(frame).join(''));
    });
    socket.on('error', reject);
    socket.on('end', () => {
      hasEnded = socket.writableFinished;
    });
    socket.resume();
    socket.once('close', () => {
      signal.removeEventListener('abort', giveUp);
      if (hasEnded) resolve();
      else reject(new Error('the sink hung up before it had read everything'));
    });
  });
}

/** One message with its length before it. */
function frame({ index, outcome, occurredAt, text }: SinkLine): string {
  const message = `<${FACILITY * 8 + SEVERITY[outcome]}>1 ${occurredAt ?? '-'} - fleetgraph - audit [meta sequenceId="${(index % 2_147_483_647) + 1}"] \ufeff${text}`;
  return `${Buffer.byteLength(message)} ${message}`;
}
