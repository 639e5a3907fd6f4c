import type { HouseClient } from '../../../../lib/call/house-client.ts';
import { systemPrincipal } from '../../../../lib/call/principal.ts';
import type { Clock } from '../../../../lib/clock.ts';
import { readNodeId } from '../../../../lib/node-id.ts';

const FIRING = `query AlertsForRollouts($filter: AlertFilter) {
  alerts(first: 100, filter: $filter) { nodes { firedAt agent { id } } } }`;
/** A step does not wait longer for the alerts house. */
const PATIENCE_MS = 1_000;
/** How long an answer is good for. */
const FRESH_MS = 5_000;

interface Answer {
  alerts: { nodes: { firedAt: string | null; agent: { id: string } | null }[] } | null;
}

/** Since when an alert fires about an agent (bare uuid), epoch milliseconds. */
export type Firing = ReadonlyMap<string, number>;

/** Which agents alerts fire about, as the alerts house tells it. */
export class Alarms {
  #askedMs = Number.NEGATIVE_INFINITY;
  #firing: Firing | undefined;

  /** @param alerts undefined in a platform without alerts: then none fire */
  constructor(
    private readonly alerts: Pick<HouseClient, 'ask'> | undefined,
    private readonly clock: Clock,
  ) {}

  /** Undefined when nobody can say now: then no version passes, and none is taken back for it. */
  async firing(): Promise<Firing | undefined> {
    const nowMs = this.clock.nowMs();
    if (!this.alerts) return new Map();
    if (nowMs - this.#askedMs < FRESH_MS) return this.#firing;
    this.#askedMs = nowMs;
    this.#firing = await this.#ask(this.alerts).catch(() => undefined);
    return this.#firing;
  }

  async #ask(house: Pick<HouseClient, 'ask'>): Promise<Firing> {
    const call = { principal: systemPrincipal('agents'), requestId: this.clock.uuid() };
    const { alerts } = await house.ask<Answer>(call, FIRING, { filter: { states: ['FIRING'] } }, PATIENCE_MS);
    return new Map(
      (alerts?.nodes ?? []).flatMap(({ firedAt, agent }): [string, number][] => {
        const uuid = agent && readNodeId(agent.id)?.uuid;
        return uuid && firedAt ? [[uuid, Date.parse(firedAt)]] : [];
      }),
    );
  }
}
