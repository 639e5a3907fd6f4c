import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Guard } from '../guard/guard.ts';
import type { LiveStreams } from '../http/live-streams.ts';
import type { OperationReport } from '../http/operations.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Operation names become labels; more of them than this share one. */
const MAX_NAMES = 200;
const BREAKER_VALUE = { CLOSED: 0, HALF_OPEN: 1, OPEN: 2 } as const;

/** Everything the router's own metrics are read from. */
export interface Measured {
  guard: Guard;
  streams: LiveStreams;
  sockets: () => number;
  spool: { waiting: number; dropped: number } | undefined;
}

/** The router's Prometheus metrics. */
export class RouterMetrics {
  readonly registry = new Registry();
  readonly #names = new Set<string>();
  readonly #requests = this.#counter('requests_total', 'Operations answered.', ['kind', 'name', 'code']);
  readonly #responses = this.#counter('http_responses_total', 'Requests answered.', ['route', 'status']);
  readonly #durations = this.#histogram('request_duration_seconds', 'Time to an operation’s answer.', ['kind']);
  readonly #calls = this.#counter('subgraph_calls_total', 'Calls to subgraphs.', ['subgraph', 'outcome']);
  readonly #callDurations = this.#histogram('subgraph_call_duration_seconds', 'Time of a call.', ['subgraph']);
  readonly #denied = this.#counter('denials_total', 'Requests turned away with 401 or 403.', []);

  /** @param withProcess whether the process's own figures (memory, CPU, event loop) are told here too */
  constructor(measured: Measured, withProcess: boolean) {
    if (withProcess) collectDefaultMetrics({ register: this.registry });
    measured.guard.onCall(({ subgraph, outcome, tookMs }) => {
      this.#calls.inc({ subgraph, outcome });
      this.#callDurations.observe({ subgraph }, tookMs / 1_000);
    });
    this.#gauges(measured);
  }

  /** A request of the public port that was answered, by the route that took it. */
  response(route: string, status: number): void {
    this.#responses.inc({ route, status });
  }

  operation({ kind, name, tookMs, answer }: OperationReport): void {
    const code = String(answer.errors?.[0]?.extensions?.['code'] ?? 'OK');
    this.#requests.inc({ kind, name: this.#named(name), code });
    // A subscription's length says how long somebody watched, not how long an answer took.
    if (kind !== 'subscription') this.#durations.observe({ kind }, tookMs / 1_000);
  }

  denied(): void {
    this.#denied.inc();
  }

  #gauges({ guard, streams, sockets, spool }: Measured): void {
    const perSubgraph = (name: string, help: string, read: (subgraph: string) => number) => {
      const gauge = this.#gauge(name, help, ['subgraph'], () => {
        for (const subgraph of guard.circuits.keys()) gauge.set({ subgraph }, read(subgraph));
      });
    };
    perSubgraph('breaker_state', 'Breaker: 0 closed, 1 half open, 2 open.', (subgraph) => {
      return BREAKER_VALUE[guard.circuits.get(subgraph)?.state.phase ?? 'CLOSED'];
    });
    perSubgraph('subgraph_in_flight', 'Calls under way.', (subgraph) => guard.circuits.get(subgraph)?.inFlight ?? 0);
    perSubgraph('subgraph_limit_per_second', 'Calls a second that are allowed.', (subgraph) => {
      return guard.circuits.get(subgraph)?.limitPerSecond ?? 0;
    });
    const single = (name: string, help: string, read: () => number) => {
      const gauge = this.#gauge(name, help, [], () => gauge.set(read()));
    };
    single('subscriptions', 'Running subscriptions.', () => streams.operations);
    single('sockets', 'Authenticated WebSockets.', sockets);
    single('audit_spool_entries', 'Denials that wait to be audited.', () => spool?.waiting ?? 0);
    single('audit_spool_dropped', 'Denials that could not be kept until they were audited.', () => spool?.dropped ?? 0);
  }

  #named(name: string | undefined): string {
    if (name === undefined) return '';
    if (!this.#names.has(name)) {
      if (this.#names.size >= MAX_NAMES) return '(others)';
      this.#names.add(name);
    }
    return name;
  }

  #counter<T extends string>(name: string, help: string, labelNames: T[]): Counter<T> {
    return new Counter({ name: `fleet_router_${name}`, help, labelNames, registers: [this.registry] });
  }

  #histogram<T extends string>(name: string, help: string, labelNames: T[]): Histogram<T> {
    const registers = [this.registry];
    return new Histogram({ name: `fleet_router_${name}`, help, labelNames, buckets: SECONDS, registers });
  }

  #gauge<T extends string>(name: string, help: string, labelNames: T[], collect: () => void): Gauge<T> {
    return new Gauge({ name: `fleet_router_${name}`, help, labelNames, registers: [this.registry], collect });
  }
}
