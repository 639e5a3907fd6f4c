import { collectDefaultMetrics, Registry } from 'prom-client';
import { ERROR_CODES } from '../../lib/errors.ts';
import type { CallReport } from '../guard/guard.ts';
import { registerGuardMetrics } from '../guard/metrics.ts';
import type { OperationReport } from '../http/operations.ts';
import { CounterFamily, HistogramFamily } from './cells.ts';
import { CallCells, FieldErrorCells, OperationCells, ResponseCells } from './counts.ts';
import { type Measured, registerGauges } from './gauges.ts';
import { LoopDelay, type LoopSample } from './loop-delay.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const DELAYS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** The router's Prometheus metrics. What counts on each request keeps its cells; what is only read is read at a scrape. */
export class RouterMetrics {
  readonly registry = new Registry();
  readonly #operations = new OperationCells(
    this.#counter('requests_total', 'Operations answered, by their own name; (others) beyond a bound.', [
      'kind',
      'name',
      'code',
    ]),
    this.#histogram('request_duration_seconds', 'Time from an operation’s arrival to its answer.', ['kind', 'name']),
  );
  readonly #responses = new ResponseCells(
    this.#counter('http_responses_total', 'HTTP requests answered.', ['route', 'status']),
  );
  readonly #calls = new CallCells(
    this.#counter('subgraph_calls_total', 'Calls to subgraphs.', ['subgraph', 'outcome']),
    this.#histogram('subgraph_call_duration_seconds', 'Time of a call to a subgraph.', ['subgraph']),
  );
  readonly #fieldErrors: FieldErrorCells;
  readonly #denied = this.#counter('denials_total', 'Requests turned away with 401 or 403.').cell();
  readonly #loop: LoopDelay;

  /**
   * @param withProcess whether the process's own figures (memory, CPU, garbage collection) are told here too
   * @param onLoop told how the event loop does, fifty times a second
   */
  constructor(measured: Measured, withProcess: boolean, onLoop: (sample: LoopSample) => void) {
    if (withProcess) collectDefaultMetrics({ register: this.registry });
    this.#fieldErrors = new FieldErrorCells(
      this.#counter('field_errors_total', 'Errors in answers, by the field they are told of.', ['coordinate', 'code']),
      measured.engine,
    );
    const delays = new HistogramFamily(
      this.registry,
      { name: 'fleet_router_event_loop_delay_seconds', help: 'How late the event loop came to a timer.' },
      DELAYS,
    );
    this.#loop = new LoopDelay(delays.cell(), onLoop);
    measured.guard.onCall((report) => this.call(report));
    registerGauges(this.registry, measured);
    registerGuardMetrics(this.registry, measured.guard);
  }

  start(): void {
    this.#loop.start();
  }

  stop(): void {
    this.#loop.stop();
  }

  /** A request of the public port that was answered, by the route that took it. */
  response(route: string, status: number): void {
    this.#responses.count(route, status);
  }

  operation(report: OperationReport): void {
    const code = report.answer.errors === undefined ? 'OK' : codeOf(report.answer.errors[0]?.extensions);
    this.#operations.count(report, code);
    if (report.answer.errors !== undefined) this.#fieldErrors.count(report, codeOf);
  }

  call(report: CallReport): void {
    this.#calls.count(report);
  }

  denied(): void {
    this.#denied.value += 1;
  }

  #counter(name: string, help: string, labelNames: string[] = []): CounterFamily {
    return new CounterFamily(this.registry, { name: `fleet_router_${name}`, help, labelNames });
  }

  #histogram(name: string, help: string, labelNames: string[]): HistogramFamily {
    return new HistogramFamily(this.registry, { name: `fleet_router_${name}`, help, labelNames }, SECONDS);
  }
}

/** One of our own codes: a subgraph's words become no labels. */
function codeOf(extensions: Record<string, unknown> | undefined): string {
  const code = extensions?.['code'];
  return typeof code === 'string' && code in ERROR_CODES ? code : 'OTHER';
}
