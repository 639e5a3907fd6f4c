import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../../lib/call/principal.ts';
import { FleetError } from '../../lib/errors.ts';
import type { ClientRequest } from '../documents/documents.ts';
import type { Prepared } from '../engine.ts';
import { GONE } from '../leave-signal.ts';
import type { Limits } from '../limits/limits.ts';
import { limitHeaders } from '../limits/standing.ts';
import { textOf } from '../subscribe/item-text.ts';
import type { StreamBatch } from '../subscribe/stream-batch.ts';
import { HttpRefusal } from './body.ts';
import { BoundedStream, STREAM_QUEUE } from './bounded-stream.ts';
import { drained } from './drained.ts';
import type { Exchange } from './graphql-door.ts';
import type { LiveStreams } from './live-streams.ts';
import type { Operations } from './operations.ts';
import { parametersOf } from './request-target.ts';
import { RESERVATION_LIMITS, type Reservation, Reservations } from './reservations.ts';
import { JSON_TYPE, send, sendAnswer } from './send.ts';
import { HEARTBEAT_MS, LAST_WORDS_MS, writeEventsHead } from './sse.ts';

const HEADER = 'x-graphql-event-stream-token';
const MAX_ID = 256;

export interface SingleConnectionOptions {
  operations: Operations;
  streams: LiveStreams;
  limits: Limits;
  heartbeatMs?: number;
}

/** The token of a reserved stream that a request names; undefined: it is about none. */
export function streamTokenOf(request: IncomingMessage): string | undefined {
  const given = request.headers[HEADER];
  if (typeof given === 'string') return given;
  return request.url?.includes('token=') ? (parametersOf(request).get('token') ?? undefined) : undefined;
}

/**
 * Many operations on one stream of server-sent events (graphql-sse, single connection): PUT reserves it, GET opens it, POST
 * runs an operation on it, DELETE ends one. A reservation is its caller's alone.
 */
export class SingleConnection {
  readonly #reservations = new Reservations();

  constructor(private readonly options: SingleConnectionOptions) {}

  /** @param read reads the body @throws HttpRefusal, FleetError */
  async answer(
    exchange: Exchange,
    token: string | undefined,
    read: () => Promise<ClientRequest | ClientRequest[]>,
  ): Promise<void> {
    const { request, response, call } = exchange;
    const { method } = request;
    if (method === 'POST' && token !== undefined) {
      return await this.#run(exchange, this.#find(token, call.principal, {}), await read());
    }
    const taken = this.options.limits.take(call.principal, 1, 'subscription');
    const headers = limitHeaders(taken instanceof Promise ? await taken : taken);
    if (method === 'PUT') {
      const reserved = this.#reservations.make(call.principal).token;
      return send(response, 201, reserved, { ...headers, 'content-type': 'text/plain; charset=utf-8' });
    }
    const reservation = this.#find(token, call.principal, headers);
    if (method === 'GET') return this.#open(exchange, reservation, headers);
    if (method !== 'DELETE') throw new HttpRefusal(405, new FleetError('BAD_INPUT', 'PUT, GET, POST or DELETE'));
    this.#stop(reservation, parametersOf(request).get('operationId') ?? '');
    send(response, 200, '', headers);
  }

  #find(token: string | undefined, principal: Principal, headers: Record<string, string>): Reservation {
    const reservation = token === undefined ? undefined : this.#reservations.find(token, principal);
    if (reservation) return reservation;
    throw new HttpRefusal(
      404,
      new FleetError('NOT_FOUND', `there is no such stream of yours: reserve one by PUT and name it in ${HEADER}`),
      headers,
    );
  }

  #open({ response, call, token }: Exchange, reservation: Reservation, headers: Record<string, string>): void {
    if (reservation.isOpen) throw new HttpRefusal(409, new FleetError('CONFLICT', 'this stream is open already'));
    writeEventsHead(response, headers);
    const heartbeat = setInterval(() => {
      if (!response.writableNeedDrain) response.write(':\n\n');
    }, this.options.heartbeatMs ?? HEARTBEAT_MS);
    const remove = this.options.streams.add({
      principal: call.principal,
      token,
      expire: () => {
        for (const stream of reservation.operations.values()) stream?.fail(tokenEnded());
        // The last items leave in the turns of the loop that come before this one.
        setImmediate(() => setImmediate(() => end(response)));
      },
      drain: () => end(response),
    });
    response.once('close', () => {
      clearInterval(heartbeat);
      remove();
      reservation.close();
    });
    reservation.open(response);
  }

  async #run(exchange: Exchange, reservation: Reservation, request: ClientRequest | ClientRequest[]): Promise<void> {
    const { response, call } = exchange;
    const { operations } = this.options;
    if (Array.isArray(request)) throw new FleetError('BAD_INPUT', 'a stream takes one operation at a time');
    const id = this.#place(reservation, request);
    const admission = await operations.admit(request, call).catch((error: unknown) => {
      reservation.operations.delete(id);
      throw error;
    });
    if ('refused' in admission) {
      reservation.operations.delete(id);
      return sendAnswer(response, admission.refused, { ...admission.headers, 'content-type': JSON_TYPE });
    }
    const { prepared, headers } = admission;
    if (prepared.kind === 'subscription') await this.#turn(exchange, reservation, id);
    // It may have been stopped, or the whole stream be gone, meanwhile.
    if (reservation.operations.has(id)) this.#start(exchange, reservation, id, prepared);
    send(response, 202, '', headers);
  }

  /** @throws RATE_LIMITED when its client has as many as it may, OVERLOADED when it waited too long for its turn */
  async #turn({ call }: Exchange, { operations }: Reservation, id: string): Promise<void> {
    try {
      await this.options.streams.turn(call, () => !operations.has(id));
    } catch (error) {
      operations.delete(id);
      throw error;
    }
  }

  #start({ call, token }: Exchange, reservation: Reservation, id: string, prepared: Prepared): void {
    const { operations, streams } = this.options;
    const ended = new AbortController();
    const countOff = prepared.kind === 'subscription' ? streams.countOperation(call.principal.id) : undefined;
    const stream = new BoundedStream(
      operations.events(prepared, call, ended.signal),
      () => ended.abort(GONE),
      STREAM_QUEUE,
      () => streams.countSlow(),
      reservation.room,
    );
    // It ends with the token it was asked with, which need not be the stream's.
    const remove = streams.add({
      principal: call.principal,
      token,
      expire: () => stream.fail(tokenEnded()),
      drain: () => this.#stop(reservation, id),
    });
    reservation.operations.set(id, stream);
    const over = () => {
      remove();
      countOff?.();
      ended.abort(GONE);
    };
    pump(stream, reservation, id).then(over, () => {
      this.#stop(reservation, id);
      over();
    });
  }

  /** Keeps the operation's place while it is admitted. @returns its id */
  #place({ operations }: Reservation, { operationId: id }: ClientRequest): string {
    if (!id || id.length > MAX_ID) {
      throw new FleetError('BAD_INPUT', `extensions.operationId is a text of 1 to ${MAX_ID} characters`);
    }
    if (operations.has(id)) throw new HttpRefusal(409, new FleetError('CONFLICT', `${id} runs on this stream already`));
    if (operations.size >= RESERVATION_LIMITS.operations) {
      throw new FleetError('OVERLOADED', `a stream runs at most ${RESERVATION_LIMITS.operations} operations`);
    }
    operations.set(id, undefined);
    return id;
  }

  /** Of what is over already there is nothing to end. */
  #stop({ operations }: Reservation, id: string): void {
    operations.get(id)?.close();
    operations.delete(id);
  }
}

/** Tells one operation's payloads, and its end unless it was stopped. */
async function pump(stream: BoundedStream, reservation: Reservation, id: string): Promise<void> {
  const response = await reservation.opened;
  if (!response) return;
  const name = JSON.stringify(id);
  for await (const batch of stream) {
    // Whoever waited for room may find that another operation took it.
    while (response.writableNeedDrain) await drained(response);
    if (response.writableEnded) return;
    response.write(framesOf(batch, name));
  }
  if (reservation.operations.get(id) !== stream || response.writableEnded) return;
  reservation.operations.delete(id);
  response.write(`event: complete\ndata: {"id":${name}}\n\n`);
}

function framesOf({ items }: StreamBatch, name: string): string {
  let text = '';
  for (const { answer } of items) {
    if (answer) text += `event: next\ndata: {"id":${name},"payload":${textOf(answer)}}\n\n`;
  }
  return text;
}

function tokenEnded(): FleetError {
  return new FleetError('UNAUTHENTICATED', 'your token ended: subscribe with a new one');
}

/** Without a word for the operations, so that stock clients come back; one that does not fetch the end is let go. */
function end(response: ServerResponse): void {
  response.end();
  setTimeout(() => response.destroy(), LAST_WORDS_MS).unref();
}
