import { SpawnedPlatform, wait } from '../support/spawned-platform.ts';
import { AlertWriters, stepOf } from './alert-writers.ts';
import { History } from './history.ts';
import { type Kind, Subscriber } from './subscriber.ts';
import { type Scenario, type Verdict, verdict } from './verdict.ts';

const FIELDS = 'cursor node { label(name: "key") state acknowledgement { at } }';
const QUERY = `subscription ($filter: AlertFilter, $after: String) { change: alertChanged(filter: $filter, after: $after) { ${FIELDS} } }`;
/** What a reader has to take who is to fall behind. */
const PADS = Array.from({ length: 20 }, (_, at) => `p${at}: label(name: "pad")`).join(' ');
const FAT_QUERY = QUERY.replace('state', `state ${PADS}`);

interface Size {
  subscribers: number;
  perSecond: number;
  reloads: number;
  terms: number;
  kills: number;
}

const SIZES = {
  full: { subscribers: 1_000, perSecond: 12, reloads: 10, terms: 5, kills: 2 },
  short: { subscribers: 100, perSecond: 20, reloads: 2, terms: 1, kills: 1 },
} satisfies Record<string, Size>;

/** Subscribers of both transports over restarts, schema reloads and slow reading: every change once and in order. */
export const streams: Scenario = {
  name: 'streams',
  async run(short) {
    const size = short ? SIZES.short : SIZES.full;
    const platform = new SpawnedPlatform(['--no-demo']);
    try {
      await platform.start();
      const history = new History(size.subscribers);
      const writers = new AlertWriters(platform, history, size.perSecond);
      const subscribers = await subscribed(platform, history, writers.mark, size);
      writers.start();
      const done = await trouble(platform, history, size);
      await writers.stop();
      for (const subscriber of subscribers) subscriber.isSlow = false;
      const caughtUpMs = await wait(() => history.isWhole, short ? 30_000 : 90_000, 'all is told').catch(() => 0);
      await Promise.all(subscribers.map((subscriber) => subscriber.stop()));
      return verdicts(history, subscribers, size, done, caughtUpMs);
    } finally {
      await platform.stop();
      platform.remove();
    }
  },
};

async function subscribed(platform: SpawnedPlatform, history: History, mark: string, size: Size) {
  const { data } = await platform.ask('{ alerts(first: 1) { changeCursor } }');
  const { url, token } = platform;
  const slow = Math.max(2, Math.round(size.subscribers / 100));
  const subscribers = Array.from({ length: size.subscribers }, (_, at) => {
    const kind: Kind = at < slow ? 'slow' : at % 2 ? 'events' : 'socket';
    return new Subscriber({
      kind,
      url,
      token,
      query: kind === 'slow' ? FAT_QUERY : QUERY,
      filter: { names: [mark] },
      after: data.alerts.changeCursor,
      take: (change) => history.tell(at, change.node.label, stepOf(change)),
    });
  });
  for (const subscriber of subscribers) subscriber.start();
  await wait(
    async () => ((await routerTells(platform, '{ router { subscriptions } }'))?.subscriptions ?? 0) >= size.subscribers,
    120_000,
    'all are subscribed',
  );
  return subscribers;
}

/** What was done to the platform while it was told of. */
interface Done {
  /** Schemas that were served, one after the other. */
  reloads: number;
  /** Processes that were ended and came back as another, by how. */
  restarts: Map<string, number>;
}

/** Everything that is to go unseen, one after the other, each once some more was written. */
async function trouble(platform: SpawnedPlatform, history: History, size: Size): Promise<Done> {
  const { reloads, terms, kills } = size;
  const schemas = new Set<string>();
  const restarts = new Map<string, number>();
  const restart = async (name: string, signal: NodeJS.Signals) => {
    await restarted(platform, name, signal);
    const what = `${name} ${signal}`;
    restarts.set(what, (restarts.get(what) ?? 0) + 1);
  };
  const course = [
    ...Array.from({ length: terms }, () => () => restart('router', 'SIGTERM')),
    ...Array.from({ length: kills }, () => () => restart('router', 'SIGKILL')),
    () => restart('state', 'SIGKILL'),
  ];
  // Reloads come between the restarts, evenly.
  for (let at = 0; at < reloads; at += 1) {
    course.splice(Math.round(((at + 0.5) * course.length) / reloads), 0, async () => {
      schemas.add(await reloaded(platform));
    });
  }
  for (const next of course) {
    const target = history.written + size.perSecond;
    await wait(() => history.written >= target, 60_000, 'more is written');
    await next();
  }
  return { reloads: schemas.size, restarts };
}

async function restarted(platform: SpawnedPlatform, name: string, signal: NodeJS.Signals): Promise<void> {
  const pid = platform.pid(name);
  process.kill(pid, signal);
  await wait(() => platform.pid(name) !== pid && platform.pid(name) > 0, 20_000, `${name} is started again`);
  await wait(() => platform.isReady(), 30_000, `ready after ${signal} of ${name}`);
}

/** @returns when the schema that is served now was loaded */
async function reloaded(platform: SpawnedPlatform): Promise<string> {
  const loadedAt = async () => (await routerTells(platform, '{ router { loadedAt } }'))?.loadedAt as string | undefined;
  let before: string | undefined;
  const isKnown = async () => {
    before = await loadedAt();
    return before !== undefined;
  };
  await wait(isKnown, 30_000, 'the router tells when its schema was loaded');
  process.kill(platform.pid('router'), 'SIGHUP');
  let now: string | undefined;
  const isNew = async () => {
    now = await loadedAt();
    return now !== undefined && now !== before;
  };
  await wait(isNew, 30_000, 'the schema is read anew');
  return now ?? '';
}

/** What a router says of itself; undefined when it does not in time, as one that is beset may not. */
async function routerTells(platform: SpawnedPlatform, query: string) {
  return (await platform.ask(query).catch(() => undefined))?.data?.router;
}

function verdicts(
  history: History,
  subscribers: readonly Subscriber[],
  size: Size,
  { reloads, restarts }: Done,
  caughtUpMs: number,
): Verdict[] {
  const { events, lost, repeated, disordered, examples } = history.found();
  const endings = new Map<string, number>();
  for (const subscriber of subscribers) {
    for (const [code, count] of subscriber.endings) endings.set(code, (endings.get(code) ?? 0) + count);
  }
  const wanted = [
    ['router SIGTERM', size.terms],
    ['router SIGKILL', size.kills],
    ['state SIGKILL', 1],
  ] as const;
  const told = [...endings].map(([code, count]) => `${code} ${count}`).join(', ');
  return [
    verdict('subscribers', subscribers.length, subscribers.length === size.subscribers),
    verdict('changes written', history.written, history.written > 20),
    verdict('… told', events, events >= history.written * size.subscribers),
    verdict('schema reloads', reloads, reloads === size.reloads),
    ...wanted.map(([what, times]) => verdict(what, restarts.get(what) ?? 0, restarts.get(what) === times)),
    verdict('lost', lost, lost === 0),
    verdict('repeated', repeated, repeated === 0),
    verdict('out of order', disordered, disordered === 0),
    verdict('all caught up after ms', Math.round(caughtUpMs), lost === 0),
    verdict('streams that were ended with', told || 'nothing', size.kills < 2 || endings.has('SLOW_CONSUMER')),
    ...examples.map((example) => verdict('example', example, false)),
  ];
}
