import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Call } from '../../../lib/call/signing.ts';
import { systemClock } from '../../../lib/clock.ts';
import { GUARD_LIMITS, Guard, type GuardLimits } from '../../../router/guard/guard.ts';
import { plainWire } from '../../../router/wire/wire.ts';
import { plainServer } from '../edge/support.ts';

export const CALL: Call = {
  principal: { id: 'admin', kind: 'SCRIPT', name: 'admin', scopes: ['admin'] },
  requestId: 'r1',
};

/** A subgraph that answers as the test says. */
export interface Island {
  url: string;
  /** Requests that came. */
  received: number;
  /** Connections that are open. */
  connections: number;
  answer: (response: ServerResponse, request: IncomingMessage) => void;
  stop(): Promise<void>;
}

export const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Island['answer'] =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };

export const WELL = json({ data: { a: 1 } });

/** Keeps what it was asked open, without a word. */
export const SILENT: Island['answer'] = () => undefined;

export async function openIsland(answer: Island['answer'] = WELL): Promise<Island> {
  const sockets = new Set<unknown>();
  const island: Island = { url: '', received: 0, connections: 0, answer, stop: async () => undefined };
  const server = await plainServer((request, response) => {
    island.received += 1;
    if (!sockets.has(request.socket)) {
      sockets.add(request.socket);
      island.connections += 1;
      request.socket.once('close', () => {
        island.connections -= 1;
      });
    }
    request.resume().on('end', () => island.answer(response, request));
  });
  island.url = `${server.url}/graphql`;
  island.stop = server.stop;
  return island;
}

/** A guard of one subgraph, `sea`, with these replicas. */
export function guardOver(islands: readonly Island[], limits: Partial<GuardLimits> = {}): Guard {
  const guard = new Guard({
    wireOf: (_subgraph, url) => plainWire(url),
    limits: { ...GUARD_LIMITS, ...limits },
    clock: systemClock,
  });
  guard.setReplicas(
    'sea',
    islands.map(({ url }) => url),
  );
  return guard;
}

export const ask = (guard: Guard, call: Partial<Call> = {}, query = '{ a }') =>
  guard.execute('sea', { query }, { ...CALL, ...call });

/** What became of it: `ok`, or the error's code. */
export const codeOf = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => 'ok',
    (error) => String(error.code ?? error.message),
  );
