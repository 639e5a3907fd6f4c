import { hasScope } from '../../../lib/call/principal.ts';
import type { Call } from '../../../lib/call/signing.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Transaction } from '../../../lib/database.ts';
import { FleetError } from '../../../lib/errors.ts';
import { uuidOf } from '../../../lib/node-id.ts';
import type { EventDraft } from '../../../lib/write/rows.ts';
import type { WriteOutcome, Writes } from '../../../lib/write/writes.ts';
import { type Agent, snapshotOf } from '../entity/agent.ts';
import type { AgentStore } from '../store/agents.ts';
import type { CredentialStore } from '../store/credentials.ts';
import type { MailStore } from '../store/mail.ts';
import type { StoryStore } from '../store/story.ts';
import { owns } from './access.ts';
import { ask } from './asking.ts';
import { assertConfig } from './definition.ts';
import { LIFE_COMMANDS, type LifeAction } from './lifecycle.ts';
import type { LiveFleet } from './live.ts';
import type { Mailbox } from './mailbox.ts';
import { actorOf, agentEvent, audited } from './record.ts';
import type { AgentResult, Registry } from './registry.ts';
import type { Versions } from './version/versions.ts';

export interface ActionInput {
  id: string;
  reason?: string | null | undefined;
  clientMutationId?: string | null | undefined;
}

export interface ConfigInput extends ActionInput {
  config: unknown;
  expectedVersion?: number | null | undefined;
}

/** What a change of one agent does in its transaction. */
type Work = (tx: Transaction, agent: Agent) => Promise<EventDraft[]>;

/** What is asked of agents: moved through their lives, configured, taken out. */
export class Lives {
  constructor(
    private readonly agents: AgentStore,
    private readonly mail: MailStore,
    private readonly story: StoryStore,
    private readonly credentials: CredentialStore,
    private readonly registry: Registry,
    private readonly mailbox: Mailbox,
    private readonly versions: Versions,
    private readonly writes: Writes,
    private readonly fleet: LiveFleet,
    private readonly clock: Clock,
  ) {}

  /** Sets the desired state, and tells the agent by a command. CONFLICT when its life has no such move. */
  act(call: Call, action: LifeAction, input: ActionInput): Promise<WriteOutcome<AgentResult>> {
    return this.#change(call, `${action}Agent`, input, async (tx, agent) => {
      const now = new Date(this.clock.nowMs());
      const letter = ask(agent, action, input.reason ?? null, now);
      // What was asked before is overtaken: an agent that comes back obeys the last word only.
      await this.mail.voidAll(tx, [agent], now, LIFE_COMMANDS);
      const { event } = await this.mailbox.post(tx, agent, actorOf(call.principal), letter);
      return [event];
    });
  }

  /** Takes an agent out of the fleet; its tokens are void, its name is free, its id still resolves. */
  async deregister(call: Call, input: ActionInput): Promise<WriteOutcome<AgentResult>> {
    const outcome = await this.#change(call, 'deregisterAgent', input, async (tx, agent) => {
      const now = new Date(this.clock.nowMs());
      agent.deregisteredAt = now;
      await this.credentials.voidTokens(tx, agent, now);
      await this.mail.void(tx, agent, now);
      return [];
    });
    if (outcome.result) this.fleet.forget(outcome.result.agent);
    return outcome;
  }

  /** Replaces the configuration. CONFLICT when it has another version than expected; BAD_INPUT by the schema of a published version. */
  setConfig(call: Call, input: ConfigInput): Promise<WriteOutcome<AgentResult>> {
    return this.#change(call, 'setAgentConfig', input, async (tx, agent) => {
      assertConfig(input.config);
      if (input.expectedVersion != null && input.expectedVersion !== agent.configVersion) {
        throw new FleetError(
          'CONFLICT',
          `agent ${agent.name} has configuration ${agent.configVersion}, not ${input.expectedVersion}: read it again`,
          { field: ['expectedVersion'] },
        );
      }
      if (agent.nextConfig) {
        throw new FleetError(
          'CONFLICT',
          `agent ${agent.name} is on its way to ${agent.desiredVersion}: wait until it is there`,
          {
            field: ['id'],
          },
        );
      }
      agent.config = await this.versions.complete(tx, agent, input.config);
      agent.configVersion += 1;
      await this.mail.void(tx, agent, new Date(this.clock.nowMs()), 'config');
      const letter = { name: 'config', arguments: { configVersion: agent.configVersion } };
      const { event } = await this.mailbox.post(tx, agent, actorOf(call.principal), letter);
      return [event];
    });
  }

  /** A new token for an agent: by itself, by who registered it, by an operator. */
  rotateToken(call: Call, input: ActionInput): Promise<WriteOutcome<AgentResult>> {
    return this.registry.rotateToken(call, input, async (tx) => {
      const agent = await this.#locked(tx, input.id);
      if (!hasScope(call.principal, 'operator') && !owns(call.principal, agent)) {
        throw new FleetError('FORBIDDEN', 'this agent is another’s');
      }
      return agent;
    });
  }

  async #change(call: Call, action: string, input: ActionInput, work: Work): Promise<WriteOutcome<AgentResult>> {
    let written: Agent | undefined;
    const outcome = await this.writes.run<AgentResult>({
      call,
      action,
      args: input,
      target: { type: 'Agent', id: input.id },
      run: async (tx, entryId) => {
        const agent = await this.#locked(tx, input.id);
        const previous = snapshotOf(agent);
        const before = audited(agent);
        const events = await work(tx, agent);
        agent.changedBy = entryId;
        await this.agents.save(tx, agent);
        const { desiredState, configVersion } = agent;
        await this.story.add(tx, [
          {
            id: this.clock.uuid(),
            agentUuid: agent.uuid,
            occurredAt: new Date(this.clock.nowMs()),
            name: action,
            detail: { desiredState, configVersion, reason: input.reason ?? null },
            actor: actorOf(call.principal),
          },
        ]);
        written = agent;
        const kind = agent.deregisteredAt ? 'DELETED' : 'UPDATED';
        return {
          result: { agent: agent.uuid },
          before,
          after: agent.deregisteredAt ? null : audited(agent),
          events: [agentEvent(agent, previous, kind), ...events],
        };
      },
    });
    if (!outcome.result || !written) return outcome;
    this.fleet.adopt(written);
    this.mailbox.wake(written.uuid);
    return outcome;
  }

  async #locked(tx: Transaction, id: string): Promise<Agent> {
    const agent = await this.agents.lock(tx, uuidOf('Agent', id));
    if (!agent || agent.deregisteredAt) throw new FleetError('NOT_FOUND', 'there is no such agent', { field: ['id'] });
    return agent;
  }
}
