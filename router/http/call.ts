import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Principal } from '../../lib/call/principal.ts';
import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import { NOBODY } from '../audit/entries.ts';
import { notePriority, PRIORITY_HEADER } from '../limits/priority.ts';
import { traceOf } from './trace-context.ts';

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
const EVENT_ID = /^[\x20-\x7e]{1,2048}$/;

/** As much of a request as tells whose it is. */
export type Asked = Pick<IncomingMessage, 'headers' | 'socket'>;

/** The call of a request before anybody knows whose it is. */
export function callOf(request: Asked, clock: Clock, traceRatio: number): Call {
  const { traceparent, isTraceRoot } = traceOf(one(request.headers['traceparent']), clock, traceRatio);
  const call: Call = {
    principal: NOBODY,
    requestId: clock.uuid(),
    clientIp: addressOf(request),
    traceparent,
  };
  if (isTraceRoot) call.isTraceRoot = true;
  return call;
}

/** Completes a call once its caller is known, with what the headers ask for. @throws BAD_INPUT for a header that cannot be used */
export function identify(call: Call, principal: Principal, headers: IncomingHttpHeaders): void {
  call.principal = principal;
  const idempotencyKey = one(headers['idempotency-key']);
  if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
    throw new FleetError('BAD_INPUT', 'an Idempotency-Key is 1 to 255 visible ASCII characters');
  }
  const lastEventId = one(headers['last-event-id']);
  if (lastEventId && !EVENT_ID.test(lastEventId)) {
    throw new FleetError('BAD_CURSOR', 'this Last-Event-ID is no cursor of ours');
  }
  if (idempotencyKey) call.idempotencyKey = idempotencyKey;
  if (lastEventId) call.lastEventId = lastEventId;
  notePriority(call, headers[PRIORITY_HEADER]);
}

/** How long the caller waits for an answer (`x-timeout-ms`), milliseconds. @throws BAD_INPUT for a header that cannot be used */
export function withinIn(headers: IncomingHttpHeaders): number | undefined {
  const asked = one(headers['x-timeout-ms']);
  if (asked === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(asked)) throw new FleetError('BAD_INPUT', 'x-timeout-ms is a whole number, at least 1');
  return Number(asked);
}

/** The address the connection comes from, without the IPv6 clothing of an IPv4 one. */
export function addressOf(request: Asked): string {
  const address = request.socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
