import type { Pool } from 'pg';
import { type Batch, type BatchDrawn, Batches } from './batches.ts';
import type { Drawn, Meter } from './bucket.ts';
import type { LimitStore } from './store.ts';

const CONNECTIONS = 8;
/** A database that takes longer is away, milliseconds. */
const QUERY_MS = 2_000;
const CONNECT_MS = 2_000;
/** Rows are looked through for full buckets once in so many statements. */
const SWEEP_EVERY = 10_000;

/** Unlogged: after a crash buckets are full, which costs one burst, and each draw spares a write to the log. */
const TABLE = `
create unlogged table if not exists fleet_limits (
  key text primary key,
  tokens float8[] not null,
  granted int not null,
  at_ms float8 not null,
  full_at_ms float8 not null
) with (fillfactor = 50)`;

/** Two routers that start together must not make it twice at the same time. */
const TABLE_LOCK = "select pg_advisory_lock(hashtext('fleet_limits'))";
const TABLE_UNLOCK = "select pg_advisory_unlock(hashtext('fleet_limits'))";

/** What the buckets of a row hold now. */
const HELD = `(
  select array_agg(least(capacity, coalesce(held, capacity) + greatest(0, clock.now_ms - b.at_ms) / 1000 * rate) order by at)
  from unnest(b.tokens[1:cardinality($2::float8[])], $2::float8[], $3::float8[])
    with ordinality u(held, capacity, rate, at)
)`;
/** How many of $6 equal draws there is enough for. */
const granted = (held: string) => `(case when $5 then $6::int else (
  select greatest(0, least($6::int, min(case when c > 0 then floor(h / c) when h < 0 then 0 else $6::int end)))::int
  from unnest(${held}, $4::float8[]) u(h, c)
) end)`;
const left = (held: string) => `(
  select array_agg(h - ${granted(held)} * c order by at) from unnest(${held}, $4::float8[]) with ordinality u(h, c, at)
)`;
const fullAt = (tokens: string) => `clock.now_ms + greatest(0,
  (select max((capacity - h) / rate * 1000) from unnest(${tokens}, $2::float8[], $3::float8[]) u(h, capacity, rate)))`;

/**
 * `draw` of bucket.ts, $6 times over in one statement, by the database's time. The row's lock makes it atomic: whoever
 * waited for it judges the row as it is then.
 */
const DRAW = `
with clock as (select extract(epoch from clock_timestamp())::float8 * 1000 as now_ms), drawn as (
  insert into fleet_limits as b (key, tokens, granted, at_ms, full_at_ms)
  select $1, ${left('$2::float8[]')}, ${granted('$2::float8[]')}, clock.now_ms, ${fullAt(left('$2::float8[]'))}
  from clock
  on conflict (key) do update set
    (tokens, granted, at_ms, full_at_ms) = (
      select ${left(HELD)}, ${granted(HELD)}, greatest(clock.now_ms, b.at_ms), ${fullAt(left(HELD))} from clock
    )
  returning tokens, granted
)
select granted as admitted, tokens from drawn`;

const SWEEP = 'delete from fleet_limits where full_at_ms < extract(epoch from clock_timestamp()) * 1000';

/** Buckets that all routers with the same PostgreSQL share: one row for each client and class. */
export class PostgresStore implements LimitStore {
  readonly #pool: Pool;
  #ready: Promise<void> | undefined;
  readonly #batches = new Batches((batch) => this.#send(batch));
  #statements = 0;

  /** @param onAway told why, when an idle connection is lost */
  constructor(url: string, onAway: (reason: string) => void) {
    // Loaded only where it is used: it would be paid for at every start.
    const { Pool } = require('pg') as typeof import('pg');
    this.#pool = new Pool({
      connectionString: url,
      max: CONNECTIONS,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: QUERY_MS,
      statement_timeout: QUERY_MS,
      application_name: 'fleet-router-limits',
    });
    this.#pool.on('error', (error) => onAway(error.message));
  }

  draw(meter: Meter, costs: readonly number[], isForced: boolean): Promise<Drawn> {
    return this.#batches.draw(meter, costs, isForced);
  }

  close(): void {
    void this.#pool.end();
  }

  async #send({ meter: { key, buckets }, costs, isForced, waiting }: Batch): Promise<BatchDrawn> {
    this.#ready ??= this.#prepare().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    await this.#ready;
    const capacities = buckets.map(({ capacity }) => capacity);
    const rates = buckets.map(({ perSecond }) => perSecond);
    const values = [key, capacities, rates, buckets.map((_, at) => costs[at] ?? 0), isForced, waiting.length];
    const { rows } = await this.#pool.query<BatchDrawn>({ name: 'fleet_draw', text: DRAW, values });
    if (++this.#statements % SWEEP_EVERY === 0) await this.#pool.query(SWEEP);
    return rows[0] as BatchDrawn;
  }

  async #prepare(): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await client.query(TABLE_LOCK);
      await client.query(TABLE);
    } finally {
      await client.query(TABLE_UNLOCK).finally(() => client.release());
    }
  }
}
