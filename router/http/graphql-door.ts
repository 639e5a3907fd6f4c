import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Call } from '../../lib/call/signing.ts';
import { FleetError } from '../../lib/errors.ts';
import type { GraphRequest, Prepared, StreamItem } from '../engine.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import { HttpRefusal, readBody, textOf } from './body.ts';
import { withinIn } from './call.ts';
import { requestInBody, requestInQuery, requireCsrfHeader, requireJson } from './graph-request.ts';
import type { LiveStreams } from './live-streams.ts';
import { type AnswerForm, negotiate } from './negotiation.ts';
import type { Operations } from './operations.ts';
import { refusal } from './public-errors.ts';
import { parametersOf } from './request-target.ts';
import { sendAnswer } from './send.ts';
import { answerByEvents } from './sse.ts';

export interface GraphqlDoorOptions {
  operations: Operations;
  streams: LiveStreams;
  maxBodyBytes: number;
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
  constructor(private readonly options: GraphqlDoorOptions) {}

  /** @throws HttpRefusal, FleetError for a request that cannot be read */
  async answer(exchange: Exchange): Promise<void> {
    const { request, response, call } = exchange;
    const { operations } = this.options;
    const startedMs = operations.nowMs();
    const withinMs = withinIn(request.headers);
    const form = negotiate(request.headers.accept);
    if (!form) throw new HttpRefusal(406, new FleetError('BAD_INPUT', 'accept application/graphql-response+json'));
    const graphRequest = await this.#read(exchange);
    if (request.headers['x-cost'] !== undefined) graphRequest.wantsCost = true;
    const admission = await operations.admit(graphRequest, call);
    const { headers } = admission;
    if ('refused' in admission) return sendAnswer(response, admission.refused, this.#typed(form, headers));
    const { prepared } = admission;
    if (request.method === 'GET' && prepared.kind === 'mutation') {
      throw new HttpRefusal(405, new FleetError('BAD_INPUT', 'a mutation is sent by POST'), { allow: 'POST' });
    }
    if (form.stream) return await this.#stream(prepared, exchange, headers);
    if (prepared.kind === 'subscription') {
      const wrong = new FleetError(
        'BAD_INPUT',
        'a subscription is sent with accept: text/event-stream, or by WebSocket',
      );
      return sendAnswer(response, refusal(wrong, call), this.#typed(form, headers));
    }
    const answer = await operations.run(prepared, call, exchange.signal, startedMs, withinMs);
    const timing = { 'server-timing': `router;dur=${operations.nowMs() - startedMs}` };
    sendAnswer(response, answer, this.#typed(form, { ...headers, ...timing }));
  }

  async #read({ request }: Exchange): Promise<GraphRequest> {
    if (request.method === 'GET') {
      requireCsrfHeader(request.headers);
      return requestInQuery(parametersOf(request));
    }
    if (request.method !== 'POST') {
      throw new HttpRefusal(405, new FleetError('BAD_INPUT', 'GraphQL is asked by POST or GET'), {
        allow: 'GET, POST',
      });
    }
    requireJson(request.headers);
    return requestInBody(textOf(await readBody(request, this.options.maxBodyBytes)));
  }

  #typed(form: AnswerForm, headers: Record<string, string>): Record<string, string> {
    return form.stream ? headers : { ...headers, 'content-type': form.contentType };
  }

  async #stream(prepared: Prepared, exchange: Exchange, headers: Record<string, string>): Promise<void> {
    const { operations, streams, heartbeatMs } = this.options;
    const { response, call, token } = exchange;
    const isLive = prepared.kind === 'subscription';
    const countOff = isLive ? streams.countOperation() : undefined;
    const source = (signal: AbortSignal) =>
      isLive ? operations.stream(prepared, call, signal) : once(() => operations.run(prepared, call, signal));
    await answerByEvents(source, {
      response,
      headers,
      principal: call.principal,
      token,
      streams,
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    }).finally(() => countOff?.());
  }
}

/** A query or mutation as a stream of one answer. */
async function* once(run: () => Promise<NonNullable<StreamItem['answer']>>): AsyncGenerator<StreamItem, void> {
  yield { answer: await run() };
}
