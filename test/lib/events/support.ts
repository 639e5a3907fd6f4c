import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadAccessTable } from '../../../lib/access.ts';
import { systemClock } from '../../../lib/clock.ts';
import type { Transaction } from '../../../lib/database.ts';
import { Sequencer } from '../../../lib/events/sequencer.ts';
import type { ChangeSubscription, StreamedChange, SubscribeOptions } from '../../../lib/events/stream.ts';
import { type HouseRuntime, openHouse } from '../../../lib/house.ts';
import { silentLog } from '../../../lib/log.ts';
import { loadSettings } from '../../../lib/settings/index.ts';
import { insertEvents, UNPLACED } from '../../../lib/write/rows.ts';
import { EVENT_PARTITIONS, WRITE_TABLES } from '../../../lib/write/tables.ts';
import { emptyHouseDatabase, TEST_SECRET } from '../../support/database.ts';
import { until } from '../../support/until.ts';

class Bare1700000000000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    for (const statement of [...WRITE_TABLES, ...EVENT_PARTITIONS]) await run.query(statement);
  }

  async down(): Promise<void> {}
}

/** A house of events alone. Its sequencer runs when it is told to. */
export class EventHouse {
  readonly #sequencer: Sequencer;

  private constructor(readonly runtime: HouseRuntime) {
    const rows = { table: 'event', wake: UNPLACED, tell: 'fleet_placed' };
    this.#sequencer = new Sequencer(runtime.database, rows, runtime.notifications, silentLog);
  }

  static async open(): Promise<EventHouse> {
    const house = new EventHouse(
      await openHouse({
        name: 'agents',
        secret: TEST_SECRET,
        clock: systemClock,
        log: silentLog,
        settings: loadSettings({}),
        access: loadAccessTable('.'),
        entities: [],
        migrations: [Bare1700000000000],
        databaseUrl: await emptyHouseDatabase('agents'),
        addresses: {},
      }),
    );
    house.runtime.notifications.start();
    house.runtime.events.start();
    return house;
  }

  close(): Promise<void> {
    return this.runtime.stop();
  }

  /** One event, in a transaction of its own unless one is given. */
  async write(entityId: string, node: object, more: { previous?: object; tx?: Transaction } = {}): Promise<void> {
    const { tx = this.runtime.database.manager, previous = null } = more;
    const event = { type: 'Lamp', entityId, kind: 'UPDATED', node, previous } as const;
    await insertEvents(tx, [event], systemClock.nowMs());
  }

  /** Many events at once, placed: `node.level` counts them. */
  async writeMany(count: number, from = 1): Promise<void> {
    await this.query(
      `insert into event (occurred_at, kind, type, entity_id, node)
       select now(), 'UPDATED', 'Lamp', 'many', jsonb_build_object('level', n) from generate_series($1::int, $2::int) n`,
      [from, from + count - 1],
    );
    await this.place();
  }

  async place(): Promise<void> {
    while ((await this.#sequencer.assign()) > 0);
  }

  query<T = ReturnType<typeof JSON.parse>>(sql: string, values: unknown[] = []): Promise<T> {
    return this.runtime.database.query(sql, values) as Promise<T>;
  }

  subscribe(after?: string, matches?: SubscribeOptions['matches']): Promise<ChangeSubscription> {
    return this.runtime.events.subscribe({ type: 'Lamp', after, ...(matches ? { matches } : {}) });
  }
}

/** The next changes of a subscription. */
export async function take(subscription: ChangeSubscription, count: number): Promise<StreamedChange[]> {
  const taken: StreamedChange[] = [];
  while (taken.length < count) {
    const step = await subscription.next();
    if (step.done) throw new Error(`it ended after ${taken.length}`);
    taken.push(step.value);
  }
  return taken;
}

/** All that comes, until a condition on it holds. */
export async function takeUntil(
  subscription: ChangeSubscription,
  isEnough: (taken: readonly StreamedChange[]) => boolean,
): Promise<StreamedChange[]> {
  const taken: StreamedChange[] = [];
  const reading = (async () => {
    for await (const change of subscription) taken.push(change);
  })();
  await until(() => isEnough(taken));
  await subscription.return?.();
  await reading;
  return taken;
}

export const levels = (changes: readonly StreamedChange[]) => changes.map(({ node }) => node['level']);
