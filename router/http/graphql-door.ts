import type { IncomingMessage, ServerResponse } from 'node:http';
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
import { requestInQuery, requestsInBody, requireCsrfHeader, requireJson } from './graph-request.ts';
import type { LiveStreams } from './live-streams.ts';
import { type AnswerForm, negotiate } from './negotiation.ts';
import type { Operations } from './operations.ts';
import { refusal } from './public-errors.ts';
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

/** One request under way. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
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
    const { request, response, call } = exchange;
    const { operations } = this.options;
    const stream = streamTokenOf(request);
    if (stream !== undefined || request.method === 'PUT' || request.method === 'DELETE') {
      return await this.#single.answer(exchange, stream, () => this.#read(exchange));
    }
    const startedMs = operations.nowMs();
    const withinMs = withinIn(request.headers);
    const form = negotiate(request.headers.accept);
    if (!form) throw new HttpRefusal(406, new FleetError('BAD_INPUT', 'accept application/graphql-response+json'));
    const graphRequest = await this.#read(exchange);
    if (Array.isArray(graphRequest)) {
      if (form.stream) throw new FleetError('BAD_INPUT', 'a batch is answered whole: accept application/json');
      if (request.headers['x-cost'] !== undefined) for (const each of graphRequest) each.wantsCost = true;
      const time = { startedMs, withinMs };
      const { answers, headers } = await answerBatch(graphRequest, operations, call, exchange.signal, time);
      return send(response, 200, `[${answers.map(jsonOfAnswer).join(',')}]`, this.#typed(form, headers));
    }
    if (request.headers['x-cost'] !== undefined) graphRequest.wantsCost = true;
    const admission = await operations.admit(graphRequest, call);
    const { headers } = admission;
    if ('refused' in admission) return sendAnswer(response, admission.refused, this.#typed(form, headers));
    const { prepared } = admission;
    if (request.method === 'GET' && prepared.kind === 'mutation') {
      throw new HttpRefusal(405, new FleetError('BAD_INPUT', 'a mutation is sent by POST'), { allow: 'POST' });
    }
    if (form.stream) return await this.#stream(prepared, exchange, headers, graphRequest.wantsHeartbeat);
    if (prepared.kind === 'subscription') {
      const wrong = new FleetError(
        'BAD_INPUT',
        'a subscription is sent with accept: text/event-stream, or by WebSocket',
      );
      return sendAnswer(response, refusal(wrong, call), this.#typed(form, headers));
    }
    const answer = await operations.run(prepared, call, exchange.signal, startedMs, withinMs);
    sendRun(response, answer, form.contentType, headers, operations.nowMs() - startedMs);
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

  #typed(form: AnswerForm, headers: Record<string, string>): Record<string, string> {
    return form.stream ? headers : { ...headers, 'content-type': form.contentType };
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
    if (isLive) streams.ofClients.requireRoom(call.principal.id);
    const turn = isLive ? streams.gate.enter(call, () => exchange.signal.aborted) : undefined;
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
