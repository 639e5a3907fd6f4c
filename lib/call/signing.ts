import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from './principal.ts';

/** What a signed call says beside its body: who asks, and on whose request. */
export interface Call {
  principal: Principal;
  requestId: string;
  clientIp?: string;
  /** From the header `Idempotency-Key`. */
  idempotencyKey?: string;
  /** Resume a stream after this cursor, whatever its `after` argument says. */
  lastEventId?: string;
  /** W3C trace context. */
  traceparent?: string;
  /** The traceparent was made here and names a span that is yet to begin. */
  isTraceRoot?: boolean;
  /** Epoch milliseconds by which the answer is wanted. */
  deadlineMs?: number;
}

/** A header that carries the signed `Call`, base64url JSON. */
const CALL_HEADER = 'x-fleet-call';
const PROOF_HEADER = 'x-fleet-proof';
const SKEW_MS = 30_000;
/** Calls that are remembered at once: 13,000 a second. */
const MAX_NONCES = 400_000;

/** One secret makes every key: a purpose is a key of its own (HKDF, RFC 5869). */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'fleetgraph', purpose, 32));
}

function proof(key: Buffer, parts: readonly string[], body: Uint8Array | string): string {
  const bodyHash = createHash('sha256').update(body).digest('hex');
  return createHmac('sha256', key)
    .update([...parts, bodyHash].join('\n'))
    .digest('base64url');
}

/**
 * Headers that prove a call to a house comes from the platform and is unaltered.
 * @param to the house's name; @param target method and path, e.g. `POST /graphql`
 */
export function signCall(
  key: Buffer,
  to: string,
  target: string,
  body: Uint8Array | string,
  call: Call,
  nowMs: number,
): Record<string, string> {
  const encoded = Buffer.from(JSON.stringify(call)).toString('base64url');
  const nonce = randomBytes(16).toString('base64url');
  const mac = proof(key, [to, target, String(nowMs), nonce, encoded], body);
  return {
    [CALL_HEADER]: encoded,
    [PROOF_HEADER]: `${nowMs} ${nonce} ${mac}`,
    ...(call.traceparent ? { traceparent: call.traceparent } : {}),
  };
}

/** Accepts each signed call of this house once, within half a minute of its time. */
export class CallVerifier {
  readonly #seen = new Map<string, number>();

  /** @param keys the current key first, then those still accepted while keys rotate */
  constructor(
    private readonly keys: readonly Buffer[],
    private readonly house: string,
    private readonly nowMs: () => number,
  ) {}

  /** Whether it says that it is signed, and now: whoever does not is known for a stranger before the body is read. */
  isClaimed(headers: IncomingHttpHeaders): boolean {
    return claimIn(headers, this.nowMs()) !== undefined;
  }

  /** The call, its deadline by our clock; or undefined when it is unsigned, altered, misdirected, too old or was seen before. */
  verify(target: string, headers: IncomingHttpHeaders, body: Uint8Array | string): Call | undefined {
    const nowMs = this.nowMs();
    const claim = claimIn(headers, nowMs);
    if (!claim) return undefined;
    const { encoded, time, nonce, mac, sentMs } = claim;
    const parts = [this.house, target, time, nonce, encoded];
    const given = Buffer.from(mac);
    const signed = this.keys.some((key) => {
      const expected = Buffer.from(proof(key, parts, body));
      return expected.length === given.length && timingSafeEqual(expected, given);
    });
    if (!signed || this.#seen.has(nonce) || !this.#remember(nonce, sentMs, nowMs)) return undefined;
    const call = JSON.parse(Buffer.from(encoded, 'base64url').toString()) as Call;
    // By our own clock: what is left counts, and the sender's clock may be another.
    if (call.deadlineMs !== undefined) call.deadlineMs += nowMs - sentMs;
    return call;
  }

  /** False when so many calls are remembered that a replay could not be told: then the call is refused. */
  #remember(nonce: string, sentMs: number, nowMs: number): boolean {
    for (const [old, untilMs] of this.#seen) {
      if (untilMs >= nowMs) break;
      this.#seen.delete(old);
    }
    if (this.#seen.size >= MAX_NONCES) return false;
    // From then on its time alone refuses it.
    this.#seen.set(nonce, sentMs + SKEW_MS);
    return true;
  }
}

/** What the headers say of a call that somebody signed just now. */
function claimIn(headers: IncomingHttpHeaders, nowMs: number) {
  const encoded = String(headers[CALL_HEADER] ?? '');
  const [time = '', nonce = '', mac = ''] = String(headers[PROOF_HEADER] ?? '').split(' ');
  const sentMs = Number(time);
  const isClaimed = encoded && mac && nonce.length >= 16 && Math.abs(nowMs - sentMs) <= SKEW_MS;
  return isClaimed ? { encoded, time, nonce, mac, sentMs } : undefined;
}
