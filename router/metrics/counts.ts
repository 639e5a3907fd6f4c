import type { GraphQLSchema } from 'graphql';
import type { CallReport } from '../guard/guard.ts';
import type { OperationReport } from '../http/operations.ts';
import type { CounterCell, CounterFamily, HistogramCell, HistogramFamily } from './cells.ts';
import { coordinateOf } from './coordinates.ts';

/** Names become labels, and clients make them up: more than so many, or longer than so, share one. */
const MAX_NAMES = 100;
const MAX_NAME = 100;
const OTHERS = '(others)';
const MAX_COORDINATES = 300;
/** Errors of one answer that are looked at. */
const MAX_ERRORS = 20;

interface Operation {
  ok: CounterCell;
  byCode: Map<string, CounterCell>;
  durations: HistogramCell;
}

/** Rate, errors and duration of operations, by kind and name. */
export class OperationCells {
  readonly #kinds: Record<OperationReport['kind'], Map<string, Operation>> = {
    query: new Map(),
    mutation: new Map(),
    subscription: new Map(),
    refused: new Map(),
  };

  constructor(
    private readonly requests: CounterFamily,
    private readonly durations: HistogramFamily,
  ) {}

  count({ kind, name = '', tookMs }: OperationReport, code: string): void {
    const operation = this.#kinds[kind].get(name) ?? this.#operation(kind, name);
    if (code === 'OK') operation.ok.value += 1;
    else this.#failed(kind, operation, name, code).value += 1;
    // A subscription's length says how long somebody watched, not how long an answer took.
    if (kind !== 'subscription') operation.durations.observe(tookMs / 1_000);
  }

  #operation(kind: OperationReport['kind'], name: string): Operation {
    const known = this.#kinds[kind];
    // One that was refused has not shown that its name means anything.
    const told = kind === 'refused' ? '' : known.size >= MAX_NAMES || name.length > MAX_NAME ? OTHERS : name;
    const kept = known.get(told);
    if (kept) return kept;
    const operation = {
      ok: this.requests.cell(kind, told, 'OK'),
      byCode: new Map(),
      durations: this.durations.cell(kind, told),
    };
    known.set(told, operation);
    return operation;
  }

  #failed(kind: string, operation: Operation, name: string, code: string): CounterCell {
    const known = operation.byCode.get(code);
    if (known) return known;
    const told = this.#kinds[kind as OperationReport['kind']].has(name) ? name : kind === 'refused' ? '' : OTHERS;
    const cell = this.requests.cell(kind, told, code);
    operation.byCode.set(code, cell);
    return cell;
  }
}

interface Calls extends Record<CallReport['outcome'], CounterCell> {
  durations: HistogramCell;
}

/** Calls to subgraphs. */
export class CallCells {
  readonly #subgraphs = new Map<string, Calls>();

  constructor(
    private readonly calls: CounterFamily,
    private readonly durations: HistogramFamily,
  ) {}

  count({ subgraph, outcome, tookMs }: CallReport): void {
    const cells = this.#subgraphs.get(subgraph) ?? this.#make(subgraph);
    cells[outcome].value += 1;
    cells.durations.observe(tookMs / 1_000);
  }

  #make(subgraph: string): Calls {
    const cells = {
      ok: this.calls.cell(subgraph, 'ok'),
      failed: this.calls.cell(subgraph, 'failed'),
      abandoned: this.calls.cell(subgraph, 'abandoned'),
      durations: this.durations.cell(subgraph),
    };
    this.#subgraphs.set(subgraph, cells);
    return cells;
  }
}

/** HTTP answers by route, of which there are few, and status. */
export class ResponseCells {
  readonly #routes = new Map<string, Map<number, CounterCell>>();

  constructor(private readonly responses: CounterFamily) {}

  count(route: string, status: number): void {
    const cell = this.#routes.get(route)?.get(status) ?? this.#make(route, status);
    cell.value += 1;
  }

  #make(route: string, status: number): CounterCell {
    const cell = this.responses.cell(route, String(status));
    const statuses = this.#routes.get(route) ?? new Map<number, CounterCell>();
    this.#routes.set(route, statuses.set(status, cell));
    return cell;
  }
}

/** Errors by the field that they are told of. Only answers with errors come here. */
export class FieldErrorCells {
  readonly #coordinates = new Set<string>();

  constructor(
    private readonly errors: CounterFamily,
    private readonly engine: { readonly schema: GraphQLSchema },
  ) {}

  count({ prepared, name, answer }: OperationReport, codeOf: (extensions?: Record<string, unknown>) => string): void {
    if (!prepared) return;
    for (const { path, extensions } of answer.errors?.slice(0, MAX_ERRORS) ?? []) {
      const coordinate = path && coordinateOf(this.engine.schema, prepared.document, name, path);
      this.errors.cell(this.#bounded(coordinate), codeOf(extensions)).value += 1;
    }
  }

  #bounded(coordinate = ''): string {
    if (this.#coordinates.has(coordinate)) return coordinate;
    if (this.#coordinates.size >= MAX_COORDINATES) return OTHERS;
    this.#coordinates.add(coordinate);
    return coordinate;
  }
}
