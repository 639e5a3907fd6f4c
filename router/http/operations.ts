import { hasScope } from '../../lib/call/principal.ts';
import type { Call } from '../../lib/call/signing.ts';
import { asFleetError, FleetError, messageOf } from '../../lib/errors.ts';
import type { Flags } from '../../lib/flags/index.ts';
import type { Log } from '../../lib/log.ts';
import type { UsageBook } from '../callers/usage.ts';
import type { ClientRequest, Documents } from '../documents/documents.ts';
import {
  type AnyAnswer,
  type Engine,
  type GraphAnswer,
  type GraphRequest,
  isRefused,
  type Prepared,
  type Refused,
} from '../engine.ts';
import { FetchRecord } from '../execute/fetch-record.ts';
import type { DocumentGate } from '../guard/document-limits.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import { noteCharge, withReceipt } from '../limits/charge.ts';
import { type DryRun, dryRunOf } from '../limits/dry-run.ts';
import type { Limits } from '../limits/limits.ts';
import { LimitRefusal, limitHeaders, type Standing } from '../limits/standing.ts';
import type { Throttle } from '../limits/throttle.ts';
import { notePlanning, operationSpan } from '../spans.ts';
import { StreamBatch } from '../subscribe/stream-batch.ts';
import { publicAnswer, publicBatch, refusal } from './public-errors.ts';
import type { SlowLog } from './slow-log.ts';

/** One finished operation, for metrics and the audit trail. */
export interface OperationReport {
  call: Call;
  kind: Prepared['kind'] | 'refused';
  name: string | undefined;
  prepared: Prepared | undefined;
  tookMs: number;
  answer: AnyAnswer;
}

export interface OperationsOptions {
  engine: Engine;
  documents: Documents;
  gate: DocumentGate;
  limits: Limits;
  usage: UsageBook;
  /** Whether every answer tells its cost. */
  showsCost: boolean;
  /** Whether `rateLimit(dryRun: true)` is the router's own field. */
  hasDryRuns: boolean;
  log: Log;
  /** Told of each answer; absent: nothing is slow. */
  slow?: SlowLog | undefined;
  nowMs: () => number;
  /** Whose turn it is, when there is not room for all. */
  throttle: Throttle;
  flags: Flags;
  /** How long a query or mutation may take as a whole, milliseconds. */
  timeoutMs: number;
  onReport(report: OperationReport): void;
}

/** What the limits let through. */
export type Admission =
  | { prepared: Prepared; standing: Standing; headers: Record<string, string> }
  | { refused: GraphAnswer; headers: Record<string, string> };

/** What becomes of an operation, whatever transport it came by: limits, preparation, run, errors fit for clients. */
export class Operations {
  constructor(private readonly options: OperationsOptions) {}

  /** Epoch milliseconds, as operations are timed. */
  nowMs(): number {
    return this.options.nowMs();
  }

  /** Checks, prepares and charges. Never throws for a caller's mistake. */
  async admit(sent: ClientRequest, call: Call): Promise<Admission> {
    const { engine, documents, gate, limits, flags, nowMs } = this.options;
    const startedMs = nowMs();
    try {
      limits.guard(call.principal);
      const { request, isTrusted } = documents.resolve(sent, flags.isOn('router.persisted-only', call.principal));
      if (!isTrusted) gate.check(request.query);
      const preparing = engine.prepare(request);
      const prepared = preparing instanceof Promise ? await preparing : preparing;
      notePlanning(call, startedMs, nowMs);
      if (isRefused(prepared)) {
        limits.refused(call.principal);
        return { refused: await this.#explain(request, prepared, call, startedMs), headers: {} };
      }
      documents.learn(sent);
      const dry = this.options.hasDryRuns ? dryRunOf(prepared) : undefined;
      if (dry) return await this.#foretell(dry, request, prepared, call);
      const admission = this.#charge(request, prepared, call);
      return admission instanceof Promise ? await admission : admission;
    } catch (error) {
      limits.refused(call.principal);
      const headers = error instanceof LimitRefusal ? this.#limited(error, call) : {};
      return { refused: this.#refuse(this.#refusalOf(error, call), call, startedMs), headers };
    }
  }

  /** Sync where the limits are: only a shared store is waited for. */
  #charge(request: GraphRequest, prepared: Prepared, call: Call): Admission | Promise<Admission> {
    const { limits, usage, showsCost } = this.options;
    const { kind, name, cost } = prepared;
    const taken = limits.take(call.principal, cost, kind, name);
    const settle = (standing: Standing): Admission => {
      usage.request(call.principal, cost);
      noteCharge(call, { standing, isTold: showsCost || request.wantsCost === true });
      return { prepared, standing, headers: limitHeaders(standing) };
    };
    return taken instanceof Promise ? taken.then(settle) : settle(taken);
  }

  /** Admits only the part of an operation that asks what the whole of it is charged. */
  async #foretell(dry: DryRun, request: GraphRequest, whole: Prepared, call: Call): Promise<Admission> {
    const { engine, limits, usage, showsCost } = this.options;
    const prepared = await engine.prepare(dry.request);
    if (isRefused(prepared)) throw new Error(`a dry run cannot be prepared: ${prepared.errors[0]?.message}`);
    const standing = await limits.foretell(call.principal, whole.cost, whole.kind);
    usage.request(call.principal, 0);
    noteCharge(call, { standing, isTold: showsCost || request.wantsCost === true, dryKeys: dry.keys });
    return { prepared, standing, headers: limitHeaders(standing) };
  }

  #limited({ standing }: LimitRefusal, call: Call): Record<string, string> {
    this.options.usage.limited(call.principal);
    return limitHeaders(standing);
  }

  /**
   * Runs a query or mutation by its deadline, which all its calls share. Never throws.
   * @param startedMs when it arrived, epoch milliseconds; now unless given
   * @param withinMs how long its caller waits, where that is less than it may take, milliseconds
   */
  async run(
    prepared: Prepared,
    call: Call,
    signal: LeaveSignal,
    startedMs = this.options.nowMs(),
    withinMs = Number.POSITIVE_INFINITY,
  ): Promise<AnyAnswer> {
    const { engine, slow, throttle, flags, nowMs, timeoutMs } = this.options;
    const isThrottled = flags.isOn('router.throttle', call.principal);
    try {
      const turn = isThrottled ? throttle.enter(prepared, call, signal) : undefined;
      if (turn !== undefined) await turn;
    } catch (error) {
      return this.#report(publicAnswer(this.#refusalOf(error, call), call), prepared, call, startedMs);
    }
    const record = slow && new FetchRecord(nowMs);
    const deadlineMs = startedMs + Math.min(timeoutMs, withinMs);
    call.deadlineMs = deadlineMs;
    const run = (inner: Call) => engine.answer(prepared, inner, signal, record);
    const ran = await operationSpan({ prepared, call, startedMs }, run).catch((error: unknown) =>
      this.#refusalOf(error, call),
    );
    if (isThrottled) throttle.leave();
    const answer = this.#report(withReceipt(publicAnswer(ran, call), call), prepared, call, startedMs);
    if (record) slow.note({ prepared, call, record, answer, startedMs, tookMs: nowMs() - startedMs });
    return answer;
  }

  /** Whatever it is, as a stream: a query or mutation is one of one answer. */
  events(prepared: Prepared, call: Call, signal: AbortSignal): AsyncIterable<StreamBatch> {
    return prepared.kind === 'subscription'
      ? this.stream(prepared, call, signal)
      : once(this.run(prepared, call, signal));
  }

  /** Runs a subscription; a fault of ours is its last item. */
  async *stream(prepared: Prepared, call: Call, signal: AbortSignal): AsyncGenerator<StreamBatch, void> {
    const { engine, nowMs } = this.options;
    const startedMs = nowMs();
    let last: AnyAnswer = { data: null };
    try {
      for await (const batch of engine.subscribe(prepared, call, signal)) {
        const told = batch.hasErrors ? publicBatch(batch, call) : batch;
        if (told.isFinal) last = told.items.at(-1)?.answer ?? last;
        yield told;
      }
    } catch (error) {
      if (signal.aborted) return;
      last = this.#refusalOf(error, call);
      yield new StreamBatch([{ answer: last }]);
    } finally {
      this.#report(last, prepared, call, startedMs);
    }
  }

  #refusalOf(error: unknown, call: Call): GraphAnswer {
    const known = asFleetError(error);
    if (known) return refusal(known, call);
    const { requestId } = call;
    this.options.log.error('request.failed', { requestId, error: messageOf(error), stack: (error as Error).stack });
    return refusal(new FleetError('INTERNAL', 'something went wrong here: tell us the requestId'), call);
  }

  /** A refusal as its caller may see it: names near the one asked for are for those who may read the schema. */
  async #explain(request: GraphRequest, refused: Refused, call: Call, startedMs: number): Promise<GraphAnswer> {
    if (!hasScope(call.principal, 'schema:read')) return this.#refuse(refused, call, startedMs);
    const explained = await this.options.engine.prepare({ ...request, suggests: true });
    return this.#refuse(isRefused(explained) ? explained : refused, call, startedMs, true);
  }

  #refuse(answer: GraphAnswer, call: Call, startedMs: number, suggests = false): GraphAnswer {
    return this.#report(publicAnswer({ errors: answer.errors ?? [] }, call, suggests), undefined, call, startedMs);
  }

  #report<A extends AnyAnswer>(answer: A, prepared: Prepared | undefined, call: Call, startedMs: number): A {
    const { onReport, nowMs } = this.options;
    const kind = prepared?.kind ?? 'refused';
    onReport({ call, kind, name: prepared?.name, prepared, tookMs: nowMs() - startedMs, answer });
    return answer;
  }
}

async function* once(answer: Promise<AnyAnswer>): AsyncGenerator<StreamBatch, void> {
  yield new StreamBatch([{ answer: await answer }]);
}
