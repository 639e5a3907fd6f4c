import { type Principal, systemPrincipal } from '../../lib/call/principal.ts';
import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { BoundedMap } from '../callers/bounded-map.ts';
import { type Drawn, draw, type Level, type Meter } from './bucket.ts';
import { DecisionBook } from './decisions.ts';
import { InsuredStore } from './insured-store.ts';
import { MemoryStore } from './memory-store.ts';
import {
  COST,
  ingestMeter,
  type OperationClass,
  operationMeter,
  RATES,
  type Rates,
  REQUESTS,
  requestMeter,
  requestsPerSecondOf,
} from './rates.ts';
import { LimitRefusal, type Standing, unlimited } from './standing.ts';
import type { LimitStore } from './store.ts';

/** Whose calls to subgraphs are. */
const ROUTER = systemPrincipal('router');
const METERS = 20_000;
/** Clients that were refused lately. */
const SUSPECTS = 10_000;
/** Dry runs speak at most so often, milliseconds. */
const TELL_MS = 1_000;

export interface LimitsOptions {
  rates?: Partial<Rates> | undefined;
  /** Where buckets are kept; in this process unless given. */
  store?: LimitStore | undefined;
  /** Classes and routes whose refusals are only counted and told; `all` is every one. */
  dryRun?: readonly string[] | undefined;
  clock: Clock;
  log: Log;
}

/**
 * How much each client may do: requests, points of cost, bytes, records, in token buckets for each class of calls.
 * N concurrent calls over a limit of L admit exactly L. Answers at once where the store is in memory.
 */
export class Limits {
  readonly decisions = new DecisionBook();
  readonly rates: Rates;
  readonly #store: LimitStore;
  readonly #pages: MemoryStore;
  readonly #meters = new BoundedMap<string, Meter>(METERS);
  readonly #suspects = new BoundedMap<string, Level>(SUSPECTS);
  readonly #dryRun: ReadonlySet<string>;
  readonly #hasNamed: boolean;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: LimitsOptions) {
    this.rates = { ...RATES, ...options.rates };
    this.#store = options.store ?? new MemoryStore(options.clock);
    this.#pages = new MemoryStore(options.clock);
    this.#dryRun = new Set(options.dryRun ?? []);
    this.#hasNamed = Object.keys(this.rates.operations).length > 0;
  }

  /**
   * Charges one operation. @param cost points, at least 1 @param name the operation's own, for limits by name
   * @throws RATE_LIMITED with `retryAfterMs` beyond the client's rate, QUERY_TOO_LARGE when it costs more than its bucket ever holds
   */
  take(principal: Principal, cost: number, operations: OperationClass, name?: string): Standing | Promise<Standing> {
    const perSecond = requestsPerSecondOf(principal, this.rates);
    if (perSecond === Number.POSITIVE_INFINITY) return unlimited(cost);
    const named = this.#hasNamed && name !== undefined ? this.rates.operations[name] : undefined;
    if (named === undefined) return this.#takeOperation(principal, cost, operations, perSecond);
    const meter = this.#meter(`${principal.id} operation:${name}`, named, () =>
      requestMeter(principal.id, `operation:${name}`, named),
    );
    const first = this.#draw(meter, [1], `operation:${name}`, principal, 0);
    const next = () => {
      const giveBack = (refusal: unknown): never => {
        if (!this.#isDry(`operation:${name}`)) void this.#store.draw(meter, [-1], true);
        throw refusal;
      };
      try {
        const standing = this.#takeOperation(principal, cost, operations, perSecond);
        return standing instanceof Promise ? standing.catch(giveBack) : standing;
      } catch (refusal) {
        return giveBack(refusal);
      }
    };
    return first instanceof Promise ? first.then(next) : next();
  }

  /** Where an operation of this cost would leave its client; charges the request and no points. @throws RATE_LIMITED */
  foretell(principal: Principal, cost: number, operations: OperationClass): Standing | Promise<Standing> {
    const perSecond = requestsPerSecondOf(principal, this.rates);
    if (perSecond === Number.POSITIVE_INFINITY) return unlimited(cost);
    return this.#draw(this.#operationMeter(principal, operations, perSecond), [1, 0], operations, principal, cost);
  }

  /** Turns a client away that was refused again and again, before its next document is even read. @throws RATE_LIMITED */
  guard(principal: Principal): void {
    const level = this.#suspects.get(principal.id);
    if (!level) return;
    const meter = this.#refusals(principal);
    const [, { admitted, tokens }] = draw(meter, level, [0], false, this.options.clock.nowMs());
    if (admitted || this.#dryRun.has('all')) return;
    this.decisions.of('document').refused += 1;
    throw new LimitRefusal({ meter, tokens, cost: 0 }, [1]);
  }

  /** Counts a document that was refused: reading it was work. */
  refused(principal: Principal): void {
    if (requestsPerSecondOf(principal, this.rates) === Number.POSITIVE_INFINITY) return;
    const meter = this.#refusals(principal);
    const [level] = draw(meter, this.#suspects.get(principal.id), [1], true, this.options.clock.nowMs());
    // However many came at once: a client that stops is let in again within a second or two.
    level.tokens[0] = Math.max(-1, level.tokens[0] ?? 0);
    this.#suspects.set(principal.id, level);
  }

  /** Charges a body of telemetry before it is read. @param bytes as its sender says; 0: it does not @throws RATE_LIMITED */
  enter(principal: Principal, path: string, bytes: number): Standing | Promise<Standing> {
    const meter = this.#ingestMeter(principal, path);
    return meter ? this.#draw(meter, [1, bytes, 0], path, principal, 0) : unlimited(0);
  }

  /** Charges what was known only once a body was unpacked and its house had looked at it; may leave a debt. */
  settle(principal: Principal, path: string, bytes: number, records: number): void {
    const meter = this.#ingestMeter(principal, path);
    if (meter && (bytes > 0 || records > 0)) void this.#store.draw(meter, [0, Math.max(0, bytes), records], true);
  }

  /** Counts a request for a page that asks for no credential, by its address. @throws RATE_LIMITED */
  page(address: string, path: string): Standing {
    const { pagesPerSecond } = this.rates;
    if (pagesPerSecond === Number.POSITIVE_INFINITY) return unlimited(0);
    const meter = this.#meter(`@${address} ${path}`, pagesPerSecond, () =>
      requestMeter(`@${address}`, path, pagesPerSecond),
    );
    return this.#judge(meter, this.#pages.draw(meter, [1], false), [1], path, address, 0);
  }

  /**
   * Counts a call to a subgraph, over all routers that share a store. @param weight as how many it counts
   * @throws RATE_LIMITED with `retryAfterMs` beyond the subgraph's rate
   */
  takeCall(subgraph: string, perSecond: number, weight: number): Standing | Promise<Standing> {
    const name = `subgraph:${subgraph}`;
    const meter = this.#meter(name, perSecond, () => requestMeter('router', name, perSecond));
    // What weighs more than is ever there would be refused for ever: it takes all.
    const most = meter.buckets[REQUESTS]?.capacity ?? weight;
    const refusal = ({ standing, extensions: { retryAfterMs } }: LimitRefusal) =>
      new FleetError('RATE_LIMITED', `${subgraph} has had its calls of this second`, {
        subgraph,
        retryAfterMs,
        limit: standing.meter?.buckets[REQUESTS]?.capacity,
      });
    const tell = (error: unknown): never => {
      throw error instanceof LimitRefusal ? refusal(error) : error;
    };
    try {
      const standing = this.#draw(meter, [Math.min(most, weight)], name, ROUTER, 0);
      return standing instanceof Promise ? standing.catch(tell) : standing;
    } catch (error) {
      return tell(error);
    }
  }

  /** Whether the store that routers share is away, and each counts alone. */
  get isStoreAway(): boolean {
    return this.#store instanceof InsuredStore && this.#store.isAway;
  }

  close(): void {
    this.#store.close();
  }

  #takeOperation(
    principal: Principal,
    cost: number,
    operations: OperationClass,
    perSecond: number,
  ): Standing | Promise<Standing> {
    const meter = this.#operationMeter(principal, operations, perSecond);
    const most = meter.buckets[COST]?.capacity ?? 0;
    if (cost > most) return this.#tooDear(meter, cost, most, operations);
    return this.#draw(meter, [1, cost], operations, principal, cost);
  }

  #operationMeter({ id }: Principal, operations: OperationClass, perSecond: number): Meter {
    return this.#meter(`${id} ${operations}`, perSecond, () => operationMeter(id, operations, perSecond, this.rates));
  }

  #tooDear(meter: Meter, cost: number, most: number, name: string): Standing {
    const decisions = this.decisions.of(name);
    if (this.#isDry(name)) {
      decisions.wouldRefuse += 1;
      return { meter, tokens: meter.buckets.map(({ capacity }) => capacity), cost };
    }
    decisions.refused += 1;
    throw new FleetError(
      'QUERY_TOO_LARGE',
      `this operation costs ${cost} points, and you may use at most ${most} at once: ask for shorter lists`,
      { cost, limit: most },
    );
  }

  #ingestMeter(principal: Principal, path: string): Meter | undefined {
    const perSecond = requestsPerSecondOf(principal, this.rates);
    if (perSecond === Number.POSITIVE_INFINITY) return undefined;
    return this.#meter(`${principal.id} ${path}`, perSecond, () =>
      ingestMeter(principal.id, path, perSecond, this.rates),
    );
  }

  #refusals(principal: Principal): Meter {
    const perSecond = requestsPerSecondOf(principal, this.rates);
    return this.#meter(`${principal.id} refused`, perSecond, () => requestMeter(principal.id, 'refused', perSecond));
  }

  /** The meter of a key, made anew when its rate was changed. */
  #meter(key: string, perSecond: number, make: () => Meter): Meter {
    const known = this.#meters.get(key);
    if (known && known.buckets[0]?.perSecond === perSecond) return known;
    const meter = make();
    this.#meters.set(key, meter);
    return meter;
  }

  #draw(
    meter: Meter,
    costs: readonly number[],
    name: string,
    principal: Principal,
    cost: number,
  ): Standing | Promise<Standing> {
    const drawn = this.#store.draw(meter, costs, false);
    if (drawn instanceof Promise)
      return drawn.then((done) => this.#judge(meter, done, costs, name, principal.id, cost));
    return this.#judge(meter, drawn, costs, name, principal.id, cost);
  }

  #judge(
    meter: Meter,
    { admitted, tokens }: Drawn,
    costs: readonly number[],
    name: string,
    client: string,
    cost: number,
  ): Standing {
    const standing = { meter, tokens, cost };
    const decisions = this.decisions.of(name);
    if (admitted) {
      decisions.admitted += 1;
      return standing;
    }
    const refusal = new LimitRefusal(standing, costs);
    if (!this.#isDry(name)) {
      decisions.refused += 1;
      throw refusal;
    }
    decisions.wouldRefuse += 1;
    this.#tell(client, name, refusal);
    return standing;
  }

  #isDry(name: string): boolean {
    return this.#dryRun.size > 0 && (this.#dryRun.has('all') || this.#dryRun.has(name));
  }

  #tell(client: string, name: string, { message, extensions }: LimitRefusal): void {
    const nowMs = this.options.clock.nowMs();
    if (nowMs - this.#toldAtMs < TELL_MS) return;
    this.#toldAtMs = nowMs;
    const { retryAfterMs } = extensions;
    this.options.log.info('limits.would_refuse', { client, class: name, reason: message, retryAfterMs });
  }
}
