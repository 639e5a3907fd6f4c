import { buildSubgraph, type ReferenceResolver } from '../../lib/federation.ts';
import type { HouseRuntime } from '../../lib/house.ts';
import { readNodeId } from '../../lib/node-id.ts';
import type { Subgraph } from '../../lib/subgraph.ts';
import { Vault } from '../../lib/vault.ts';
import { Alert } from './entity/alert.ts';
import { ContactPoint, EscalationPolicy, Notification } from './entity/contact.ts';
import { AlertRule } from './entity/rule.ts';
import { AgentReference, LogEntryReference } from './entity/stubs.ts';
import { alertLoaders } from './loaders.ts';
import { AgentAlertsResolver, AlertResolver, AlertRuleResolver } from './resolver/alert.ts';
import type { AlertsContext } from './resolver/context.ts';
import { LogEntryAlertsResolver } from './resolver/log-entry.ts';
import { AlertMutationResolver } from './resolver/mutation.ts';
import { AlertQueryResolver } from './resolver/query.ts';
import { AlertSubscriptionResolver } from './resolver/subscription.ts';
import { AlertService } from './service/alerts.ts';
import { ContactService } from './service/contacts.ts';
import { Delivery } from './service/delivery.ts';
import { Escalator } from './service/escalator.ts';
import { Evaluator } from './service/evaluator.ts';
import { HouseSources } from './service/house-sources.ts';
import { AlertReader } from './service/reader.ts';
import { Recorder } from './service/recorder.ts';
import { RuleService } from './service/rules.ts';
import { Houses } from './service/sources.ts';
import { AlertStore } from './store/alerts.ts';
import { ContactStore } from './store/contacts.ts';
import { NotificationStore } from './store/notifications.ts';
import { RuleStore } from './store/rules.ts';

export const entities = [Alert, AlertRule, EscalationPolicy, ContactPoint, Notification];

/** Alerts: rules over the fleet, what they found, and who is told of it. */
export async function alertsSubgraph(runtime: HouseRuntime): Promise<Subgraph> {
  const { clock, log, flags, writes, events, moments, cursors, database } = runtime;
  const stores = {
    alerts: new AlertStore(database),
    rules: new RuleStore(database),
    contacts: new ContactStore(database),
    notifications: new NotificationStore(database),
  };
  const { alerts, rules, contacts, notifications } = stores;
  const vault = new Vault(runtime.key('contact-secret'));
  const allowPrivate = runtime.settings.FLEET_WEBHOOK_PRIVATE;
  const recorder = new Recorder(alerts, contacts, notifications, clock);
  const delivery = new Delivery(notifications, contacts, vault, clock, log, { allowPrivate }, flags);
  const escalator = new Escalator(alerts, recorder, writes, clock, log, () => delivery.wake(), flags);
  const sources = new HouseSources(new Houses(runtime.houses, clock));
  const evaluator = new Evaluator(rules, alerts, recorder, sources, writes, clock, log, () => escalator.wake());
  const services = {
    alerts: new AlertService(alerts, recorder, writes, clock, () => escalator.wake()),
    rules: new RuleService(rules, alerts, contacts, recorder, writes, clock, () => evaluator.wake()),
    contacts: new ContactService(contacts, writes, vault, allowPrivate),
    read: new AlertReader(alerts, rules, contacts, events, moments, cursors, clock),
  };
  const workers = [evaluator, escalator, delivery];
  return {
    name: 'alerts',
    schema: await buildSubgraph({
      resolvers: [
        AlertQueryResolver,
        AlertMutationResolver,
        AlertSubscriptionResolver,
        AlertResolver,
        AlertRuleResolver,
        AgentAlertsResolver,
        LogEntryAlertsResolver,
      ],
      orphanedTypes: [LogEntryReference],
      access: runtime.access,
      references,
    }),
    context: (call): AlertsContext => ({
      call,
      ...services,
      loaders: alertLoaders({ ...stores, cursors, clock, moments }),
    }),
    async start() {
      for (const worker of workers) worker.start();
    },
    async stop() {
      for (const worker of workers) await worker.stop();
    },
    async ready() {
      await database.query('select 1');
    },
  };
}

const references: Record<string, ReferenceResolver> = {
  Alert: ({ id }, { loaders }: AlertsContext) => byNodeId('Alert', id, (uuid) => loaders.alert.load(uuid)),
  AlertRule: ({ id }, { loaders }: AlertsContext) => byNodeId('AlertRule', id, (uuid) => loaders.rule.load(uuid)),
  Agent: ({ id }) => AgentReference.of(String(id)),
  LogEntry: ({ id, time, agent }) =>
    Object.assign(new LogEntryReference(), { id, agent, ...(time ? { time: new Date(String(time)) } : {}) }),
};

function byNodeId<T>(type: string, id: unknown, load: (uuid: string) => T): T | null {
  const read = readNodeId(String(id));
  return read?.type === type ? load(read.uuid) : null;
}
