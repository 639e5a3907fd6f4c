import { hasScope } from '../lib/call/principal.ts';
import type { Call } from '../lib/call/signing.ts';
import type { Clock } from '../lib/clock.ts';
import { FleetError } from '../lib/errors.ts';
import { type Flags, standardFlags } from '../lib/flags/index.ts';
import type {
  AnyAnswer,
  Engine,
  GraphAnswer,
  GraphRequest,
  Prepared,
  Refused,
  Remembered,
  StreamItem,
  SubgraphCaller,
  WrittenAnswer,
} from './engine.ts';
import { type EventFacts, runEvents } from './execute/events.ts';
import { Faults, type ReportFault } from './execute/faults.ts';
import type { FetchRecord } from './execute/fetch-record.ts';
import { introspect } from './execute/introspection.ts';
import { emptyObject, type JsonObject } from './execute/json.ts';
import { isMissed } from './execute/projection.ts';
import { Run, requestOf } from './execute/run.ts';
import { isLost, write } from './execute/writer.ts';
import { readOut } from './execute/written.ts';
import { GONE, type LeaveSignal, presenceOf } from './leave-signal.ts';
import { type AccessDecision, decideAccess } from './plan/access.ts';
import { apolloPlanner } from './plan/apollo-planner.ts';
import { describePlan, type PlanNode } from './plan/description.ts';
import { nativePlanner, type PlannerMaker, withFallback } from './plan/planner.ts';
import { Preparation, type PreparedOperation } from './plan/preparation.ts';
import type { Step, StreamPlan } from './plan/steps.ts';
import { gathered } from './subscribe/gathered.ts';
import { inOrder } from './subscribe/in-order.ts';
import { type Pause, systemPause } from './subscribe/pause.ts';
import { type ResumptionLimits, resumed } from './subscribe/resumption.ts';
import { sharedPlace } from './subscribe/shared-place.ts';
import { SharedStreams } from './subscribe/shared-streams.ts';
import { StreamBatch } from './subscribe/stream-batch.ts';
import { readSupergraph, type Supergraph } from './supergraph/supergraph.ts';

export interface CoreOptions {
  supergraphSdl: string;
  /** The same, read already. */
  supergraph?: Supergraph;
  caller: SubgraphCaller;
  clock: Clock;
  /** Hive's native planner unless another is given. */
  planner?: PlannerMaker;
  /** For operations the first cannot plan; Apollo's unless another is given. */
  secondPlanner?: PlannerMaker;
  /** Close every field of which no `@access` rule speaks; off, such a field is open. Rules themselves always hold. */
  enforceAccess?: boolean;
  /** Ask for the scope `schema:read` before introspection and "Did you mean". */
  gateIntrospection?: boolean;
  /** What planned operations may take together, bytes; 64 MB unless given. */
  cacheBytes?: number;
  /** Lexical tokens a document may have; 15,000 unless given. */
  maxTokens?: number;
  /** Events of one stream that are joined at once; 32 unless given. */
  eventsInFlight?: number;
  resumption?: ResumptionLimits;
  pause?: Pause;
  /** Which features are on; the catalogue's defaults unless given. */
  flags?: Flags;
  /** Told of every error as it really was, when clients see it masked. */
  reportFault?: ReportFault;
}

/** How many gatherings of one stream's events are joined at the same time: what comes meanwhile makes the next one larger. */
const BATCHES_IN_FLIGHT = 2;
const RESUMPTION: ResumptionLimits = { firstPauseMs: 100, longestPauseMs: 5_000, attempts: 30, staleMs: 30_000 };

/**
 * Makes the heart of a router of any Federation 2 supergraph.
 * @throws Error when the supergraph is none, or asks for protection this router does not give
 */
export function createEngine(options: CoreOptions): Engine {
  return new Core(options);
}

class Core implements Engine {
  readonly #supergraph: Supergraph;
  readonly #preparation: Preparation;
  readonly #shared = new SharedStreams();
  readonly #flags: Flags;

  constructor(private readonly options: CoreOptions) {
    const { supergraphSdl, clock, reportFault, flags = standardFlags() } = options;
    this.#flags = flags;
    this.#supergraph = options.supergraph ?? readSupergraph(supergraphSdl);
    const makePlanner = options.planner ?? nativePlanner();
    const makeSecond = options.secondPlanner ?? apolloPlanner();
    const tell = (error: string) => reportFault?.({ subgraph: 'planner', requestId: '', error });
    this.#preparation = new Preparation({
      supergraph: this.#supergraph,
      planner: withFallback(makePlanner(supergraphSdl), makeSecond(supergraphSdl), tell, () =>
        flags.isOn('router.apollo-fallback'),
      ),
      enforceAccess: options.enforceAccess ?? false,
      cacheBytes: options.cacheBytes ?? 64_000_000,
      maxTokens: options.maxTokens ?? 15_000,
      showSuggestions: !options.gateIntrospection,
      random: () => clock.random(),
      onPlanFailure: tell,
    });
  }

  get schema() {
    return this.#supergraph.schema;
  }

  get schemaSdl() {
    return this.#supergraph.schemaSdl;
  }

  get subgraphs() {
    return this.#supergraph.subgraphs;
  }

  get caches() {
    return this.#preparation.caches;
  }

  prepare(request: GraphRequest): Prepared | Refused | Promise<Prepared | Refused> {
    return this.#preparation.prepare(request);
  }

  hottest(most: number): readonly Remembered[] {
    return this.#preparation.hottest(most);
  }

  planAhead(operation: Remembered): Promise<void> {
    return this.#preparation.planAhead(operation);
  }

  async execute(prepared: Prepared, call: Call, signal?: LeaveSignal, record?: FetchRecord): Promise<GraphAnswer> {
    return readOut(await this.answer(prepared, call, signal, record));
  }

  /** Not an async function, as all on the way of a query that need not be: each would cost it three turns of the queue. */
  answer(prepared: Prepared, call: Call, signal?: LeaveSignal, record?: FetchRecord): Promise<AnyAnswer> {
    const access = this.#admit(prepared, call);
    if (access.errors.length > 0) return Promise.resolve({ errors: access.errors });
    const { operation, variables } = prepared as PreparedOperation;
    const todo = { access, call, signal, steps: operation.steps, record };
    if (!operation.introspection) return this.#run(prepared as PreparedOperation, todo);
    return introspect(this.schema, operation.introspection, variables).then((introspected) =>
      this.#run(prepared as PreparedOperation, { ...todo, introspected }),
    );
  }

  explain(prepared: Prepared, record?: FetchRecord, startedMs?: number): PlanNode | undefined {
    const { steps, stream } = (prepared as PreparedOperation).operation;
    return describePlan(steps, stream, record, startedMs);
  }

  async *subscribe(prepared: Prepared, call: Call, signal: AbortSignal): AsyncGenerator<StreamBatch, void, undefined> {
    const access = this.#admit(prepared, call);
    if (access.errors.length > 0) {
      yield new StreamBatch([{ answer: { errors: access.errors } }]);
      return;
    }
    const { operation } = prepared as PreparedOperation;
    const stream = operation.stream;
    if (!stream) throw new Error(`a ${operation.kind} is executed, not subscribed to`);
    const leaving = new AbortController();
    const leave = () => leaving.abort(GONE);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    const either = leaving.signal;
    const open = (after: string | undefined, ending: AbortSignal) =>
      this.#joined(
        prepared as PreparedOperation,
        stream,
        access,
        after === undefined ? call : { ...call, lastEventId: after },
        ending,
      );
    const place = this.#flags.isOn('router.shared-streams')
      ? sharedPlace(prepared as PreparedOperation, call, this.schema)
      : undefined;
    try {
      yield* place ? this.#shared.run({ ...place, signal: either, open }) : open(undefined, either);
    } catch (error) {
      if (!signal.aborted) yield new StreamBatch([{ answer: this.#lastWord([error], stream, call) }]);
    } finally {
      signal.removeEventListener('abort', leave);
      leave();
    }
  }

  /** The upstream's items with the other subgraphs' fields, in order. */
  #joined(
    prepared: PreparedOperation,
    stream: StreamPlan,
    access: AccessDecision,
    call: Call,
    signal: AbortSignal,
  ): AsyncIterable<StreamBatch> {
    const items = this.#upstream(prepared, stream, call, signal);
    const limit = this.options.eventsInFlight ?? 32;
    // Every fetch under way listens: to an object of ours, which a signal's list of listeners is slow beside.
    const joining = { prepared, stream, access, call, reader: presenceOf(signal) };
    return this.#flags.isOn('router.event-batching')
      ? inOrder(gathered(items, limit), BATCHES_IN_FLIGHT, (some) => this.#join(some, joining))
      : inOrder(items, limit, (item) => this.#join([item], joining));
  }

  #upstream(
    prepared: PreparedOperation,
    stream: StreamPlan,
    call: Call,
    signal: AbortSignal,
  ): AsyncIterable<StreamItem> {
    const { caller, clock, resumption = RESUMPTION, pause = systemPause } = this.options;
    const { source } = stream;
    return resumed({
      caller,
      subgraph: source.subgraph,
      request: requestOf(source, prepared.variables),
      call,
      signal,
      startsAfterCursor: prepared.operation.startsAfterCursor(prepared.variables),
      limits: resumption,
      pause,
      nowMs: () => clock.nowMs(),
      random: () => clock.random(),
    });
  }

  /** Items of the upstream with the other subgraphs' fields; an answer without data is the upstream's own last word. */
  async #join(items: readonly StreamItem[], joining: Joining): Promise<StreamBatch> {
    const { prepared, stream, access, call, reader } = joining;
    const events = items.flatMap(({ answer }) =>
      answer && 'data' in answer ? [{ answer, faults: this.#faults(call) }] : [],
    );
    const { root } = prepared.operation.projection;
    const data = await runEvents(events, stream, {
      supergraph: this.#supergraph,
      caller: this.options.caller,
      variables: prepared.variables,
      call,
      signal: reader,
      isRootKey: (key) => root.below(key) !== undefined,
      isMissed: (known, path, keys) => isMissed(root, known, path, keys),
    });
    let at = -1;
    const told = items.map((item) => {
      if (!item.answer) return item;
      if (!('data' in item.answer)) {
        return { ...item, answer: this.#lastWord(item.answer.errors ?? [], stream, call) };
      }
      at += 1;
      const { faults } = events[at] as EventFacts;
      return { ...item, answer: this.#written(prepared, data[at] as JsonObject, faults, access) };
    });
    return new StreamBatch(told);
  }

  #lastWord(errors: readonly unknown[], { source }: StreamPlan, call: Call): GraphAnswer {
    const faults = this.#faults(call);
    for (const error of errors) faults.add(error, undefined, source.subgraph);
    return { errors: faults.list.map((fault) => fault.error) };
  }

  async #run(prepared: PreparedOperation, todo: Todo): Promise<WrittenAnswer | GraphAnswer> {
    const { operation, variables } = prepared;
    const { access, call, signal, steps } = todo;
    const { root } = operation.projection;
    const faults = this.#faults(call);
    const data = emptyObject();
    const run = new Run(
      {
        supergraph: this.#supergraph,
        caller: this.options.caller,
        variables,
        call,
        signal,
        faults,
        record: todo.record,
        isRootKey: (key) => root.below(key) !== undefined,
        isMissed: (known, path, keys) => isMissed(root, known, path, keys),
        isLost: operation.kind === 'mutation' ? (sofar, keys) => this.#isLost(prepared, sofar, keys, todo) : undefined,
      },
      data,
    );
    if (steps) await run.step(steps);
    run.settle();
    // What a mutation did is told even so.
    if (operation.kind === 'query' && faults.refusal) return { errors: [faults.refusal] };
    return this.#written(prepared, data, faults, access, todo.introspected);
  }

  #isLost({ operation: { projection } }: PreparedOperation, data: JsonObject, keys: readonly string[], todo: Todo) {
    const faults = new Faults(todo.call.requestId, () => undefined);
    return isLost(data, keys, { projection, faults, introspected: undefined, closed: todo.access.closed });
  }

  #written(
    { operation: { projection } }: PreparedOperation,
    data: JsonObject,
    faults: Faults,
    { closed }: AccessDecision,
    introspected?: Readonly<Record<string, string>>,
  ): WrittenAnswer {
    const answer: WrittenAnswer = { data: write(data, { projection, faults, introspected, closed }) };
    if (faults.list.length > 0) answer.errors = faults.settled(projection.root);
    const extensions = faults.extensions(projection.root);
    if (extensions) answer.extensions = extensions;
    return answer;
  }

  /** Whether this caller may run the operation: introspection, and every selected field. */
  #admit(prepared: Prepared, call: Call): AccessDecision {
    if (prepared.introspects && this.options.gateIntrospection && !hasScope(call.principal, 'schema:read')) {
      const refusal = new FleetError('INTROSPECTION_DISABLED', 'introspection needs the scope schema:read', {
        requestId: call.requestId,
      });
      return { errors: [{ message: refusal.message, extensions: refusal.extensions }], closed: new Set() };
    }
    return decideAccess((prepared as PreparedOperation).operation.access, call.principal, call.requestId);
  }

  #faults(call: Call): Faults {
    return new Faults(call.requestId, this.options.reportFault ?? (() => undefined));
  }
}

/** What one run is about. */
interface Todo {
  access: AccessDecision;
  call: Call;
  signal: LeaveSignal | undefined;
  steps: Step | undefined;
  introspected?: Record<string, string> | undefined;
  record?: FetchRecord | undefined;
}

/** What the events of one stream are joined with. */
interface Joining {
  prepared: PreparedOperation;
  stream: StreamPlan;
  access: AccessDecision;
  call: Call;
  /** Leaves when nobody follows any more. */
  reader: LeaveSignal;
}
