import { createHash } from 'node:crypto';
import { print } from 'graphql';
import type { Call } from '../../lib/call/signing.ts';
import type { Log } from '../../lib/log.ts';
import type { AnyAnswer, Engine, Prepared } from '../engine.ts';
import type { FetchRecord } from '../execute/fetch-record.ts';
import type { PlanNode } from '../plan/description.ts';
import { traceIdOf } from './trace-context.ts';

/** Lines in one window; what is beyond is counted and told with the next line. */
const MAX_LINES = 10;
const WINDOW_MS = 10_000;
/** Nodes of a plan that are told. */
const MAX_NODES = 100;

export interface SlowLogOptions {
  engine: Engine;
  log: Log;
  /** From how long on an operation is slow, milliseconds. */
  thresholdMs: number;
}

/** One operation that was answered. */
export interface Finished {
  prepared: Prepared;
  call: Call;
  record: FetchRecord;
  answer: AnyAnswer;
  /** Epoch milliseconds. */
  startedMs: number;
  tookMs: number;
}

/** Tells of operations that took too long: one line each, with the plan and what each fetch of it took; no variable's value. */
export class SlowLog {
  #windowMs = 0;
  #lines = 0;
  #unsaid = 0;

  constructor(private readonly options: SlowLogOptions) {}

  note(finished: Finished): void {
    if (finished.tookMs >= this.options.thresholdMs) this.#tell(finished);
  }

  #tell({ prepared, call, record, answer, startedMs, tookMs }: Finished): void {
    const nowMs = startedMs + tookMs;
    if (nowMs - this.#windowMs >= WINDOW_MS) {
      this.#windowMs = nowMs;
      this.#lines = 0;
    }
    if (this.#lines >= MAX_LINES) {
      this.#unsaid += 1;
      return;
    }
    this.#lines += 1;
    const { engine, log } = this.options;
    const { kind, name, document, cost } = prepared;
    const plan = engine.explain(prepared, record, startedMs);
    const text = document.loc?.source.body ?? print(document);
    const code = answer.errors?.[0]?.extensions?.['code'];
    log.warn('operation.slow', {
      kind,
      ...(name === undefined ? {} : { name }),
      hash: createHash('sha256').update(text).digest('hex'),
      tookMs,
      cost,
      ...(code === undefined ? {} : { code }),
      requestId: call.requestId,
      traceId: traceIdOf(call.traceparent),
      principal: call.principal.id,
      ...(plan ? { plan: summaryOf(plan, { left: MAX_NODES }) } : {}),
      ...(this.#unsaid > 0 ? { unsaid: this.#unsaid } : {}),
    });
    this.#unsaid = 0;
  }
}

/** A plan without its operations' texts, and with so many nodes at most. */
function summaryOf({ operation: _, nodes, ...node }: PlanNode, budget: { left: number }): PlanNode {
  budget.left -= 1;
  if (!nodes) return node;
  const shown: PlanNode[] = [];
  for (const each of nodes) {
    if (budget.left <= 0) break;
    shown.push(summaryOf(each, budget));
  }
  return { ...node, nodes: shown };
}
