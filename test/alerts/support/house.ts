import path from 'node:path';
import { loadAccessTable } from '../../../lib/access.ts';
import type { Flags } from '../../../lib/flags/index.ts';
import { alertsSubgraph, entities } from '../../../subgraphs/alerts/index.ts';
import { type Answer, type AnyShape, startTestHouse, type TestHouse } from '../../support/house.ts';
import { MovingClock } from './moving-clock.ts';
import { SmallHouses, type World } from './small-houses.ts';

const ROOT = path.resolve(__dirname, '../../..');

/** The alerts house among small ones, on a clock that may be put forward. */
export interface AlertsWorld {
  house: TestHouse;
  houses: SmallHouses;
  world: World;
  clock: MovingClock;
  /** Data of an operation that must not fail. */
  data(query: string, variables?: object, call?: Parameters<TestHouse['ask']>[2]): Promise<AnyShape>;
  stop(): Promise<void>;
}

export interface AlertsWorldOptions {
  /** Whether rules that a fleet starts with stay. */
  keepRules?: boolean;
  settings?: Parameters<typeof startTestHouse>[0]['settings'];
  flags?: Flags;
  /** A database that another house had before. */
  databaseUrl?: string;
  /** The clock that all houses share. */
  clock?: MovingClock;
  /** Real houses in the place of small ones. */
  addresses?: Record<string, string>;
}

export async function startAlerts(options: AlertsWorldOptions = {}): Promise<AlertsWorld> {
  const { clock = new MovingClock() } = options;
  const houses = new SmallHouses(clock);
  await houses.start();
  const house = await startTestHouse({
    name: 'alerts',
    entities,
    make: alertsSubgraph,
    clock,
    // What other houses own is theirs to open; here their ids are.
    access: { Agent: ['viewer', 'agent'], Trace: ['viewer', 'agent'], ...loadAccessTable(ROOT) },
    addresses: { ...houses.addresses, ...options.addresses },
    settings: { FLEET_WEBHOOK_PRIVATE: true, ...options.settings },
    ...(options.flags ? { flags: options.flags } : {}),
    ...(options.databaseUrl ? { databaseUrl: options.databaseUrl } : {}),
  });
  if (!options.keepRules) {
    for (const name of ['agent-offline', 'agent-unhealthy', 'error-burst', 'agent-saturated']) {
      await house.ask(`mutation { deleteAlertRule(input: { name: "${name}" }) { name } }`);
    }
  }
  return {
    house,
    houses,
    clock,
    world: houses.world,
    data: async (query, variables, call) => dataOf(await house.ask(query, variables, call)),
    async stop() {
      await house.stop();
      await houses.stop();
    },
  };
}

/** @throws when the answer has errors */
export function dataOf(answer: Answer): AnyShape {
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
}
