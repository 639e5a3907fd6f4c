import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import { ERROR_CODES, type ErrorCode, FleetError } from '../../lib/errors.ts';
import { type Engine, isRefused, type Prepared } from '../engine.ts';
import { FetchRecord } from '../execute/fetch-record.ts';
import type { DocumentGate } from '../guard/document-limits.ts';
import type { Limits } from '../limits/limits.ts';
import type { PlanNode } from '../plan/description.ts';

export interface QueryPlanArguments {
  query: string;
  variables?: unknown;
  operationName?: string | null;
  run?: boolean | null;
}

/** QueryPlan as the schema has it. */
export interface QueryPlan {
  operationName: string | undefined;
  rootFields: readonly string[];
  cost: number;
  tookMs: number | undefined;
  errors: number | undefined;
  nodes: (Omit<PlanNode, 'nodes'> & { depth: number })[];
}

export interface PlanDeskOptions {
  engine: Engine;
  gate: DocumentGate;
  limits: Limits;
  clock: Clock;
}

/** A plan that is run must not plan and run in turn: one request would be many. */
const OWN_FIELD = 'queryPlan';

/** Shows how an operation is answered, and runs it when asked, as its caller, charged like any other. */
export class PlanDesk {
  #turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: PlanDeskOptions) {}

  /** @throws what would refuse the operation itself; BAD_INPUT to run what is no query */
  async plan({ query, variables, operationName, run }: QueryPlanArguments, call: Call): Promise<QueryPlan> {
    const { engine, gate } = this.options;
    // One request may ask for many plans. Each is looked at in a turn of the loop of its own: others are not held up.
    this.#turn = this.#turn.then(() => nextTurn());
    await this.#turn;
    gate.check(query);
    const prepared = await engine.prepare({
      query,
      variables: objectOf(variables),
      ...(operationName == null ? {} : { operationName }),
    });
    if (isRefused(prepared)) throw refusalOf(prepared.errors[0]);
    const ran = run ? await this.#run(prepared, call) : undefined;
    const tree = engine.explain(prepared, ran?.record, ran?.startedMs);
    return {
      operationName: prepared.name,
      rootFields: prepared.rootFields,
      cost: prepared.cost,
      tookMs: ran?.tookMs,
      errors: ran?.errors,
      nodes: tree ? flat(tree) : [],
    };
  }

  async #run(prepared: Prepared, call: Call) {
    const { engine, limits, clock } = this.options;
    if (prepared.kind !== 'query') throw badInput(`a ${prepared.kind} is planned, not run`);
    if (prepared.rootFields.includes(OWN_FIELD)) throw badInput(`${OWN_FIELD} does not run itself`);
    await limits.take(call.principal, prepared.cost, prepared.kind, prepared.name);
    const startedMs = clock.nowMs();
    const record = new FetchRecord(() => clock.nowMs());
    const { errors = [] } = await engine.execute(prepared, call, undefined, record);
    return { record, startedMs, tookMs: clock.nowMs() - startedMs, errors: errors.length };
  }
}

function flat({ nodes = [], ...node }: PlanNode, depth = 0): QueryPlan['nodes'] {
  return [{ ...node, fields: node.fields ?? [], path: node.path ?? [], depth }].concat(
    nodes.flatMap((each) => flat(each, depth + 1)) as never,
  );
}

function objectOf(variables: unknown): Record<string, unknown> {
  if (variables == null) return {};
  if (typeof variables !== 'object' || Array.isArray(variables)) {
    throw new FleetError('BAD_INPUT', 'variables are an object', { field: ['variables'] });
  }
  return variables as Record<string, unknown>;
}

function badInput(message: string): FleetError {
  return new FleetError('BAD_INPUT', message, { field: ['run'] });
}

function refusalOf(error: { message: string; extensions?: Record<string, unknown> } | undefined): FleetError {
  const code = error?.extensions?.['code'];
  const known = typeof code === 'string' && code in ERROR_CODES ? (code as ErrorCode) : 'BAD_QUERY';
  return new FleetError(known, error?.message ?? 'the operation cannot be planned', { field: ['query'] });
}
