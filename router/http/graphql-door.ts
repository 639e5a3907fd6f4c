import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Call } from '../../lib/call/signing.ts';
import { FleetError } from '../../lib/errors.ts';
import type { ClientRequest } from '../documents/documents.ts';
import type { Prepared } from '../engine.ts';
import { jsonOfAnswer } from '../execute/written.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import type { Limits } from '../limits/limits.ts';
import { answerBatch } from './batch.ts';
import { HttpRefusal, readBody, textOf, unpackBody } from './body.ts';
import { withinIn } from './call.ts';
import type { FastReply } from './fast-path/fast-reply.ts';
import type { FastRequest } from './fast-path/fast-request.ts';
import { requestInQuery, requestsInBody, requireCsrfHeader, requireJson } from './graph-request.ts';
import type { LiveStreams } from './live-streams.ts';
import { type AnswerForm, negotiate } from './negotiation.ts';
import type { Admission, Operations } from './operations.ts';
import { refusal } from './public-errors.ts';
import type { Reply, WholeReply } from './reply.ts';
import { parametersOf } from './request-target.ts';
import { send, sendAnswer, sendRun } from './send.ts';
import { SingleConnection, streamTokenOf } from './single-connection.ts';
import { answerByEvents } from './sse.ts';

/** Operations and their variables do not pack better than this; what does is made to. */
const MAX_UNPACK_RATIO = 100;

export interface GraphqlDoorOptions {
  operations: Operations;
  streams: LiveStreams;
  limits: Limits;
  maxBodyBytes: number;
  /** Requests that one body may have; 0: batches are not taken. */
  maxBatch?: number;
  heartbeatMs?: number;
}

/** One request under way that is answered whole. */
interface WholeExchange {
  request: { readonly headers: IncomingHttpHeaders; readonly method?: string | undefined };
  response: WholeReply;
  call: Call;
  /** Fires when the client leaves. */
  signal: LeaveSignal;
}

/** One that came by the fast path. */
export interface FastExchange extends WholeExchange {
  request: FastRequest;
  response: FastReply;
}

/** One request under way. */
export interface Exchange {
  request: IncomingMessage;
  response: Reply;
  call: Call;
  token: string | undefined;
  /** Fires when the client leaves. */
  signal: LeaveSignal;
}

/** GraphQL over HTTP: POST, GET, and server-sent events for those who ask for them. */
export class GraphqlDoor {
  readonly #single: SingleConnection;

  constructor(private readonly options: GraphqlDoorOptions) {
    this.#single = new SingleConnection(options);
  }

  /** @throws HttpRefusal, FleetError for a request that cannot be read */
  async answer(exchange: Exchange): Promise<void> {
    const { request, response } = exchange;
    const { operations } = this.options;
    const stream = streamTokenOf(request);
    if (stream !== undefined || request.method === 'PUT' || request.method === 'DELETE') {
      return await this.#single.answer(exchange, stream, () => this.#read(exchange));
    }
    const startedMs = operations.nowMs();
    const form = formOf(request.headers);
    const asked = await this.#read(exchange);
    if (!form.stream) return await this.#answerWhole(exchange, asked, form.contentType, startedMs);
    if (Array.isArray(asked)) throw new FleetError('BAD_INPUT', 'a batch is answered whole: accept application/json');
    const admission = await this.#admit(exchange, asked);
    if ('refused' in admission) return sendAnswer(response, admission.refused, admission.headers);
    return await this.#stream(admission.prepared, exchange, admission.headers, asked.wantsHeartbeat);
  }

  /**
   * A request that is there whole already, and asks for a whole answer.
   * @throws HttpRefusal, FleetError for a request that cannot be read
   */
  answerFast(exchange: FastExchange): Promise<void> {
    const { request } = exchange;
    const startedMs = this.options.operations.nowMs();
    const form = formOf(request.headers);
    if (form.stream) throw new Error('invariant broken: a stream by the fast path');
    requireJson(request.headers);
    const asked = requestsInBody(textOf(request.body), this.options.maxBatch ?? 0);
    return this.#answerWhole(exchange, asked, form.contentType, startedMs);
  }

  async #answerWhole(
    exchange: WholeExchange,
    asked: ClientRequest | ClientRequest[],
    contentType: string,
    startedMs: number,
  ): Promise<void> {
    const { request, response, call, signal } = exchange;
    const { operations } = this.options;
    const withinMs = withinIn(request.headers);
    if (Array.isArray(asked)) {
      if (request.headers['x-cost'] !== undefined) for (const each of asked) each.wantsCost = true;
      const { answers, headers } = await answerBatch(asked, operations, call, signal, { startedMs, withinMs });
      const body = `[${answers.map(jsonOfAnswer).join(',')}]`;
      return send(response, 200, body, { ...headers, 'content-type': contentType });
    }
    const admission = await this.#admit(exchange, asked);
    const { headers } = admission;
    const typed = () => ({ ...headers, 'content-type': contentType });
    if ('refused' in admission) return sendAnswer(response, admission.refused, typed());
    const { prepared } = admission;
    if (prepared.kind === 'subscription') {
      const sentence = 'a subscription is sent with accept: text/event-stream, or by WebSocket';
      return sendAnswer(response, refusal(new FleetError('BAD_INPUT', sentence), call), typed());
    }
    const answer = await operations.run(prepared, call, signal, startedMs, withinMs);
    sendRun(response, answer, contentType, headers, operations.nowMs() - startedMs);
  }

  /** @throws HttpRefusal 405 for a mutation by GET */
  #admit({ request, call }: WholeExchange, asked: ClientRequest): Promise<Admission> {
    if (request.headers['x-cost'] !== undefined) asked.wantsCost = true;
    const admitting = this.options.operations.admit(asked, call);
    return request.method === 'GET' ? admitting.then(requireQuery) : admitting;
  }

  async #read({ request }: Exchange): Promise<ClientRequest | ClientRequest[]> {
    if (request.method === 'GET') {
      requireCsrfHeader(request.headers);
      return requestInQuery(parametersOf(request));
    }
    if (request.method !== 'POST') {
      throw new HttpRefusal(405, new FleetError('BAD_INPUT', 'GraphQL is asked by POST or GET'), {
        allow: 'GET, POST, PUT, DELETE',
      });
    }
    requireJson(request.headers);
    const { maxBodyBytes, maxBatch = 0 } = this.options;
    const encoding = request.headers['content-encoding'];
    const body = await readBody(request, maxBodyBytes);
    const unpacked =
      encoding === undefined
        ? body
        : await unpackBody(body, encoding, { maxBytes: maxBodyBytes, maxRatio: MAX_UNPACK_RATIO });
    return requestsInBody(textOf(unpacked), maxBatch);
  }

  async #stream(
    prepared: Prepared,
    exchange: Exchange,
    headers: Record<string, string>,
    wantsHeartbeat = false,
  ): Promise<void> {
    const { operations, streams, heartbeatMs } = this.options;
    const { response, call, token } = exchange;
    const isLive = prepared.kind === 'subscription';
    const turn = isLive ? streams.turn(call, () => exchange.signal.aborted) : undefined;
    if (turn) await turn;
    const countOff = isLive ? streams.countOperation(call.principal.id) : undefined;
    const source = (signal: AbortSignal) => operations.events(prepared, call, signal);
    await answerByEvents(source, {
      response,
      headers,
      principal: call.principal,
      token,
      streams,
      wantsHeartbeat,
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    }).finally(() => countOff?.());
  }
}

/** @throws HttpRefusal 406 when the client takes nothing this router gives */
function formOf({ accept }: IncomingHttpHeaders): AnswerForm {
  const form = negotiate(accept);
  if (!form) throw new HttpRefusal(406, new FleetError('BAD_INPUT', 'accept application/graphql-response+json'));
  return form;
}

/** @throws HttpRefusal 405 for a mutation: by GET nothing is changed */
function requireQuery(admission: Admission): Admission {
  if ('refused' in admission || admission.prepared.kind !== 'mutation') return admission;
  throw new HttpRefusal(405, new FleetError('BAD_INPUT', 'a mutation is sent by POST'), { allow: 'POST' });
}
