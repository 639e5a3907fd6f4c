import type { Clock } from '../../../../lib/clock.ts';
import type { Transaction } from '../../../../lib/database.ts';
import type { Actor } from '../../../../lib/graphql/shared.ts';
import type { EventDraft } from '../../../../lib/write/rows.ts';
import { type Agent, snapshotOf } from '../../entity/agent.ts';
import type { AgentStore } from '../../store/agents.ts';
import type { MailStore } from '../../store/mail.ts';
import type { StoryStore } from '../../store/story.ts';
import type { Mailbox } from '../mailbox.ts';
import type { Config } from '../migration/pointer.ts';
import { agentEvent } from '../record.ts';

/** What an agent is asked to run, and why. */
export interface Wanted {
  version: string;
  config: Config;
  reason: string;
}

/** The command that asks an agent for another version. */
export const UPGRADE = 'upgrade';

/** Asks agents for a version. Their configuration changes when they have it: until then the old program reads the old one. */
export class Upgrades {
  constructor(
    private readonly agents: AgentStore,
    private readonly mail: MailStore,
    private readonly story: StoryStore,
    private readonly mailbox: Mailbox,
    private readonly clock: Clock,
  ) {}

  /** Asks an agent whose row is locked; whatever it was asked before of this sort is void. */
  async ask(tx: Transaction, agent: Agent, by: Actor, { version, config, reason }: Wanted): Promise<EventDraft[]> {
    const now = new Date(this.clock.nowMs());
    const previous = snapshotOf(agent);
    agent.desiredVersion = version;
    agent.nextConfig = config;
    agent.driftingAt = null;
    agent.driftToldAt = null;
    for (const name of [UPGRADE, 'config']) await this.mail.void(tx, agent, now, name);
    const { event } = await this.mailbox.post(tx, agent, by, {
      name: UPGRADE,
      arguments: { version, from: agent.version, config, configVersion: agent.configVersion + 1, reason },
    });
    await this.#tell(tx, agent, by, 'upgrade.asked', { version, from: agent.version, reason });
    await this.agents.save(tx, agent);
    return [agentEvent(agent, previous), event];
  }

  /** Gives an agent that has the version it should have the configuration that goes with it. Its row is locked, and saved here. */
  async settle(tx: Transaction, agent: Agent, by: Actor): Promise<EventDraft[]> {
    const previous = snapshotOf(agent);
    if (!settled(agent)) return [];
    await this.#tell(tx, agent, by, 'upgrade.done', { version: agent.version, configVersion: agent.configVersion });
    await this.agents.save(tx, agent);
    return [agentEvent(agent, previous)];
  }

  #tell(tx: Transaction, agent: Agent, actor: Actor, name: string, detail: Record<string, unknown>): Promise<void> {
    const occurredAt = new Date(this.clock.nowMs());
    return this.story.add(tx, [{ id: this.clock.uuid(), agentUuid: agent.uuid, occurredAt, name, detail, actor }]);
  }
}

/** Takes over the configuration that waits for the version an agent has now. @returns whether one did */
export function settled(agent: Agent): boolean {
  if (agent.nextConfig === null || agent.version !== agent.desiredVersion) return false;
  agent.config = agent.nextConfig;
  agent.configVersion += 1;
  agent.nextConfig = null;
  return true;
}
