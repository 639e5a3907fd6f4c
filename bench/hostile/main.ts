import { readFileSync } from 'node:fs';
import path from 'node:path';
import { systemPrincipal } from '../../lib/call/principal.ts';
import { systemClock } from '../../lib/clock.ts';
import { asFleetError } from '../../lib/errors.ts';
import { createEngine } from '../../router/core.ts';
import type { ClientRequest } from '../../router/documents/documents.ts';
import { type Engine, isRefused } from '../../router/engine.ts';
import { DOCUMENT_LIMITS, DocumentGate } from '../../router/guard/document-limits.ts';
import { requestsInBody } from '../../router/http/graph-request.ts';
import type { Bench, Figure } from '../figure.ts';
import { FAMILIES, type Family } from './documents.ts';

const ROOT = path.resolve(__dirname, '../..').replace(/\/dist$/, '');
const MAX_BODY_BYTES = 1_000_000;
/** What a bystander may have to wait for another client's document, milliseconds. */
const PROMISE_MS = 50;
const ROUNDS = 3;

/**
 * How long a bystander waits while the router decides about another's request: reading its JSON, the gate, parsing,
 * validating, planning, and answering introspection. Of each family the largest that is admitted, and one far too large.
 */
export const hostileBench: Bench = {
  name: 'hostile',
  async run() {
    const engine = createEngine({
      supergraphSdl: readFileSync(path.join(ROOT, 'schema', 'supergraph.graphql'), 'utf8'),
      caller: {
        execute: async () => ({ data: null }),
        subscribe: async function* () {},
      },
      clock: systemClock,
    });
    // The compiler has seen ordinary requests before hostile ones come.
    for (let at = 0; at < 200; at++)
      await decide(engine, JSON.stringify({ query: `{ fleet { total } agents(first: ${at}) { nodes { id } } }` }));
    const figures: Figure[] = [];
    for (const family of FAMILIES) figures.push(await worst(engine, family));
    return figures;
  },
};

interface Decision {
  verdict: string;
  stallMs: number;
}

async function worst(engine: Engine, family: Family): Promise<Figure> {
  const most = await largestAdmitted(engine, family);
  const admitted = most === 0 ? undefined : await middle(engine, family, most);
  const refused = await middle(engine, family, family.most);
  const stallMs = Math.max(admitted?.stallMs ?? 0, refused.stallMs);
  return {
    promise: `hostile: ${family.name}`,
    measured: admitted ? `${admitted.stallMs.toFixed(1)} ms at ${most}` : 'none admitted',
    against: `${refused.stallMs.toFixed(1)} ms at ${family.most} (${refused.verdict})`,
    ratio: stallMs <= PROMISE_MS ? `within ${PROMISE_MS} ms` : `OVER ${PROMISE_MS} ms`,
  };
}

/** The middle of some decisions, each about a text of its own: no cache may answer. */
async function middle(engine: Engine, family: Family, n: number): Promise<Decision> {
  const decisions: Decision[] = [];
  for (let round = 0; round < ROUNDS; round++) decisions.push(await decide(engine, bodyOf(family, n)));
  return decisions.sort((one, other) => one.stallMs - other.stallMs)[Math.floor(ROUNDS / 2)] as Decision;
}

async function largestAdmitted(engine: Engine, family: Family): Promise<number> {
  let [low, high] = [0, family.most];
  while (low < high) {
    const half = Math.ceil((low + high) / 2);
    const { verdict } = await decide(engine, bodyOf(family, half));
    if (verdict === 'QUERY_TOO_LARGE') high = half - 1;
    else low = half;
  }
  return low;
}

let turn = 0;

function bodyOf(family: Family, n: number): string {
  const { query, ...more } = family.make(n);
  turn += 1;
  return JSON.stringify({ query: `${query} #${turn}`, ...more });
}

/** Decides about one body as the public port does, and tells how long the loop stood still. */
async function decide(engine: Engine, body: string): Promise<Decision> {
  const gate = new DocumentGate(DOCUMENT_LIMITS);
  let stallMs = 0;
  let lastMs = ownMs();
  let isDone = false;
  const tick = () => {
    const nowMs = ownMs();
    stallMs = Math.max(stallMs, nowMs - lastMs);
    lastMs = nowMs;
    if (!isDone) setImmediate(tick);
  };
  setImmediate(tick);
  await new Promise(setImmediate);
  const verdict = await verdictOn(engine, gate, body);
  isDone = true;
  await new Promise(setImmediate);
  return { verdict, stallMs };
}

async function verdictOn(engine: Engine, gate: DocumentGate, body: string): Promise<string> {
  try {
    if (Buffer.byteLength(body) > MAX_BODY_BYTES) return 'QUERY_TOO_LARGE';
    const { query = '', ...request } = requestsInBody(body, 0) as ClientRequest;
    gate.check(query);
    const prepared = await engine.prepare({ query, ...request });
    if (isRefused(prepared)) {
      // Those who may read the schema are told what names are near.
      await engine.prepare({ query, ...request, suggests: true });
      return String(prepared.errors[0]?.extensions?.['code']);
    }
    await engine.execute(prepared, { principal: systemPrincipal('bench'), requestId: 'bench' });
    return 'admitted';
  } catch (error) {
    const refused = asFleetError(error);
    if (!refused) throw error;
    return refused.code;
  }
}

/** Processor time of this thread, milliseconds: what others on the machine take meanwhile is not the router's doing. */
function ownMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
