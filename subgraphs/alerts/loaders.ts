import DataLoader from 'dataloader';
import type { Clock } from '../../lib/clock.ts';
import type { CursorSealer } from '../../lib/cursor.ts';
import type { Moments } from '../../lib/events/moments.ts';
import { type Page, type PageArgs, pageOf, readPage } from '../../lib/page.ts';
import type { Alert } from './entity/alert.ts';
import type { Notification } from './entity/contact.ts';
import type { AlertFilter } from './entity/inputs.ts';
import type { AlertRule } from './entity/rule.ts';
import { ALERT_STREAM, ALERTS } from './service/reader.ts';
import { type AgentAndTime, type AlertStore, keyOfAlert } from './store/alerts.ts';
import type { NotificationStore } from './store/notifications.ts';
import type { RuleStore } from './store/rules.ts';

/** Alerts of an agent, as its field asks for them. */
export interface AlertsOfAgentArgs extends PageArgs {
  filter?: AlertFilter | null | undefined;
}

/** Batches of one request. */
export interface AlertLoaders {
  /** By uuid; null when there is none. */
  alert: DataLoader<string, Alert | null>;
  rule: DataLoader<string, AlertRule | null>;
  /** How many alerts of a rule fire or recover. */
  firing: DataLoader<string, number>;
  /** What was sent about an alert. */
  notifications: DataLoader<string, Notification[]>;
  /** The uuids of alerts about an agent that fired at a time, newest first, at most 100. */
  firingAt: DataLoader<AgentAndTime, string[], string>;
  /** The page of alerts of one agent, for these arguments. */
  ofAgent(args: AlertsOfAgentArgs): DataLoader<string, Page<Alert>>;
}

export interface AlertLoaderRooms {
  alerts: AlertStore;
  rules: RuleStore;
  notifications: NotificationStore;
  cursors: CursorSealer;
  clock: Clock;
  moments: Moments;
}

export function alertLoaders(rooms: AlertLoaderRooms): AlertLoaders {
  const { alerts, rules, notifications } = rooms;
  const byArguments = new Map<string, DataLoader<string, Page<Alert>>>();
  return {
    alert: new DataLoader<string, Alert | null>(async (uuids) => {
      const found = new Map((await alerts.find(uuids)).map((alert) => [alert.uuid, alert]));
      return uuids.map((uuid) => found.get(uuid) ?? null);
    }),
    rule: new DataLoader<string, AlertRule | null>(async (uuids) => {
      const found = new Map((await rules.find(uuids)).map((rule) => [rule.uuid, rule]));
      return uuids.map((uuid) => found.get(uuid) ?? null);
    }),
    firing: new DataLoader<string, number>(async (uuids) => {
      const counts = await alerts.firingOfRules(uuids);
      return uuids.map((uuid) => counts.get(uuid) ?? 0);
    }),
    notifications: new DataLoader<string, Notification[]>(async (uuids) => {
      const all = await notifications.ofAlerts(uuids);
      return uuids.map((uuid) => all.filter(({ alertUuid }) => alertUuid === uuid));
    }),
    firingAt: new DataLoader<AgentAndTime, string[], string>((asked) => alerts.firingAt(asked), {
      cacheKeyFn: ({ agentId, atMs }) => `${agentId} ${atMs}`,
    }),
    ofAgent(args) {
      const key = JSON.stringify(args);
      const known = byArguments.get(key);
      if (known) return known;
      const made = new DataLoader((agentIds: readonly string[]) => pagesOfAgents(rooms, agentIds, args));
      byArguments.set(key, made);
      return made;
    },
  };
}

async function pagesOfAgents(
  rooms: AlertLoaderRooms,
  agentIds: readonly string[],
  args: AlertsOfAgentArgs,
): Promise<Page<Alert>[]> {
  const { alerts, cursors, clock, moments } = rooms;
  const request = readPage(args, cursors, ALERTS);
  const filter = args.filter ?? {};
  const { read: pages, changeCursor } = await moments.asOf(ALERT_STREAM, (tx) =>
    alerts.pagesOfAgents(tx, agentIds, filter, request, clock.nowMs()),
  );
  const counts = new DataLoader<string, number>(async (ids) => {
    const found = await alerts.countsOfAgents(ids, filter, clock.nowMs());
    return ids.map((id) => found.get(id) ?? 0);
  });
  return agentIds.map((agentId) => ({
    ...pageOf(pages.get(agentId) ?? [], request, cursors, ALERTS, keyOfAlert),
    totalCount: () => counts.load(agentId),
    changeCursor,
  }));
}
