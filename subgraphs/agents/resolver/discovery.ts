import { hasAnyScope } from '../../../lib/call/principal.ts';
import { asFleetError, FleetError } from '../../../lib/errors.ts';
import type { HouseRoute, HouseRouteAnswer, HouseRouteRequest } from '../../../lib/subgraph.ts';
import type { Directory } from '../service/directory.ts';
import { dnsZone } from '../service/dns-sd.ts';
import { type EndpointQuery, endpointQueryOf } from '../service/endpoint-query.ts';
import { targetGroups } from '../service/http-sd.ts';

/** Who may find agents: whoever may see them, and agents each other. */
const SCOPES = ['viewer', 'agent'];
const JSON_TYPE = 'application/json';
/** As Consul's `X-Consul-Index`: a client gives it back to wait for what comes next. */
const INDEX_HEADER = 'x-fleet-index';
const MOST_WAIT_S = 25;
const HEARTBEAT_MS = 10_000;
/** Changes that come at once are told in one. */
const GATHER_MS = 20;
const DOMAIN = 'agents.fleet.';

/** Routes that tell where agents answer. Each takes the parameters of endpoint-query.ts. */
export function discoveryRoutes(directory: Directory): Record<string, HouseRoute> {
  return {
    'GET /discovery/endpoints': open(async ({ query: parameters }, query) => {
      if (parameters.get('watch') === 'true') return streamed(directory, query);
      await waited(directory, query, parameters);
      const { index } = directory;
      const body = JSON.stringify({ index, endpoints: directory.find(query) });
      return { status: 200, headers: { 'content-type': JSON_TYPE, [INDEX_HEADER]: String(index) }, body };
    }),
    'GET /discovery/http_sd': open(async (_request, query) => {
      const asked = query.endpoints.length ? query : { ...query, endpoints: ['metrics'] };
      const body = JSON.stringify(targetGroups(directory.find(asked)));
      return { status: 200, headers: { 'content-type': JSON_TYPE }, body };
    }),
    'GET /discovery/dns-sd': open(async ({ query: parameters }, query) => {
      const body = dnsZone(directory.find(query), parameters.get('domain') ?? DOMAIN);
      return { status: 200, headers: { 'content-type': 'text/dns' }, body };
    }),
  };
}

/** A route for those who may find agents; an expected failure is its answer. */
function open(answer: (request: HouseRouteRequest, query: EndpointQuery) => Promise<HouseRouteAnswer>): HouseRoute {
  return async (request) => {
    try {
      if (!hasAnyScope(request.call.principal, SCOPES)) {
        throw new FleetError('FORBIDDEN', `this needs one of the scopes ${SCOPES.join(', ')}`);
      }
      return await answer(request, endpointQueryOf(request.query));
    } catch (error) {
      const known = asFleetError(error);
      if (!known) throw error;
      const { message, extensions } = known;
      const status = known.code === 'FORBIDDEN' ? 403 : known.code === 'OVERLOADED' ? 503 : 400;
      const headers = { 'content-type': JSON_TYPE, ...(status === 503 ? { 'retry-after': '1' } : {}) };
      return { status, headers, body: JSON.stringify({ errors: [{ message, extensions }] }) };
    }
  };
}

/** Waits for a change behind the index that is given, at most so long as is asked. @throws BAD_INPUT */
async function waited(directory: Directory, query: EndpointQuery, parameters: URLSearchParams): Promise<void> {
  const [index, wait] = [parameters.get('index'), parameters.get('wait') ?? String(MOST_WAIT_S)];
  if (index === null) return;
  if (!/^\d{1,15}$/.test(index)) throw new FleetError('BAD_INPUT', 'index is a whole number', { field: ['index'] });
  if (!/^\d{1,2}$/.test(wait) || Number(wait) > MOST_WAIT_S) {
    throw new FleetError('BAD_INPUT', `wait is 0 to ${MOST_WAIT_S} seconds`, { field: ['wait'] });
  }
  // What changed before this request may have been one of these: asked again at once, it will wait.
  if (Number(index) < directory.index) return;
  await changed(directory, query, Number(wait) * 1_000);
}

/** Resolves at the next change of what a query finds, or when the time is over. @returns whether it changed */
function changed(directory: Directory, query: EndpointQuery, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isChange: boolean) => {
      clearTimeout(timer);
      leave();
      resolve(isChange);
    };
    const timer = setTimeout(() => end(false), limitMs);
    const leave = directory.watch(query, () => end(true));
  });
}

/** What a query finds, now and after each change, as server-sent events whose ids are the index. */
function streamed(directory: Directory, query: EndpointQuery): HouseRouteAnswer {
  const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' };
  // Before anything is sent: what is refused is refused with a status.
  directory.find(query);
  let isStale = true;
  let wake = () => {};
  const leave = directory.watch(query, () => {
    isStale = true;
    wake();
  });
  async function* body(): AsyncGenerator<string> {
    try {
      for (;;) {
        if (isStale) {
          isStale = false;
          const endpoints = directory.find(query);
          yield `id: ${directory.index}\nevent: endpoints\ndata: ${JSON.stringify({ index: directory.index, endpoints })}\n\n`;
          await rest(GATHER_MS);
        } else {
          await Promise.race([new Promise<void>((resolve) => (wake = resolve)), rest(HEARTBEAT_MS)]);
          if (!isStale) yield ':\n\n';
        }
      }
    } finally {
      leave();
    }
  }
  return { status: 200, headers, body: body() };
}

/** Keeps no process from ending. */
const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());
