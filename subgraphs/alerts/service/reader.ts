import type { Clock } from '../../../lib/clock.ts';
import type { CursorSealer } from '../../../lib/cursor.ts';
import type { Moments } from '../../../lib/events/moments.ts';
import type { ChangeSubscription, EventStream } from '../../../lib/events/stream.ts';
import { type Page, type PageArgs, pageOf, readPage } from '../../../lib/page.ts';
import type { Alert } from '../entity/alert.ts';
import type { ContactPoint, EscalationPolicy } from '../entity/contact.ts';
import type { AlertFilter } from '../entity/inputs.ts';
import type { AlertRule } from '../entity/rule.ts';
import type { AlertSnapshot } from '../entity/snapshot.ts';
import { type AlertStore, keyOfAlert } from '../store/alerts.ts';
import type { ContactStore } from '../store/contacts.ts';
import { keyOfRule, type RuleStore } from '../store/rules.ts';
import { matcherOf } from './filter.ts';

const RULES = 'alertRules';
/** The cursor list of alerts: the same for all alerts and those of one agent. */
export const ALERTS = 'alerts';
/** The stream of alerts. */
export const ALERT_STREAM = 'Alert';

/** Lists and lookups. */
export class AlertReader {
  constructor(
    private readonly alertStore: AlertStore,
    private readonly ruleStore: RuleStore,
    private readonly contactStore: ContactStore,
    private readonly events: EventStream,
    private readonly moments: Moments,
    private readonly cursors: CursorSealer,
    private readonly clock: Clock,
  ) {}

  async alerts(args: PageArgs, filter: AlertFilter): Promise<Page<Alert>> {
    const request = readPage(args, this.cursors, ALERTS);
    const nowMs = this.clock.nowMs();
    const { read, changeCursor } = await this.moments.asOf(ALERT_STREAM, (tx) =>
      this.alertStore.page(tx, filter, request, nowMs),
    );
    const page = pageOf(read, request, this.cursors, ALERTS, keyOfAlert);
    return { ...page, totalCount: () => this.alertStore.count(filter, nowMs), changeCursor };
  }

  async rules(args: PageArgs): Promise<Page<AlertRule>> {
    const request = readPage(args, this.cursors, RULES);
    const page = pageOf(await this.ruleStore.page(request), request, this.cursors, RULES, keyOfRule);
    return { ...page, totalCount: () => this.ruleStore.count() };
  }

  byFingerprint(fingerprint: string): Promise<Alert | undefined> {
    return this.alertStore.byFingerprint(fingerprint);
  }

  ruleByName(name: string): Promise<AlertRule | null> {
    return this.ruleStore.byName(name);
  }

  policies(): Promise<EscalationPolicy[]> {
    return this.contactStore.policies();
  }

  policy(name: string): Promise<EscalationPolicy | null> {
    return this.contactStore.policy(name);
  }

  contactPoints(): Promise<ContactPoint[]> {
    return this.contactStore.contactPoints();
  }

  contactPoint(name: string): Promise<ContactPoint | null> {
    return this.contactStore.contactPoint(name);
  }

  /** Changes of alerts that match. @throws what `EventStream.subscribe` and `matcherOf` throw */
  changes(filter: AlertFilter, after: string | null | undefined): Promise<ChangeSubscription> {
    const matches = matcherOf(filter, this.clock);
    return this.events.subscribe({
      type: ALERT_STREAM,
      after,
      matches: (node) => matches(node as unknown as AlertSnapshot),
    });
  }
}
