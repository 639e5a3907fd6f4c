import type { Transaction } from '../../../../lib/database.ts';
import { asFleetError } from '../../../../lib/errors.ts';
import { AgentPresence } from '../../../../lib/graphql/agent-presence.ts';
import { labelsMatch } from '../../../../lib/label-match.ts';
import type { Agent } from '../../entity/agent.ts';
import { AgentState, HealthGrade } from '../../entity/enums.ts';
import { RolloutPhase, RolloutState } from '../../entity/rollout-enums.ts';
import type { AgentStore } from '../../store/agents.ts';
import type { RolloutStore } from '../../store/rollouts.ts';
import type { VersionStore } from '../../store/versions.ts';
import { compareVersions } from '../version/semver.ts';
import type { VersionedConfigs } from '../version/versioned-configs.ts';
import type { RolloutWish } from './rollout-wish.ts';

/** Which agents rollouts are about: those that are there when they begin, and those that come later. */
export class Targets {
  constructor(
    private readonly agents: AgentStore,
    private readonly rollouts: RolloutStore,
    private readonly versions: VersionStore,
    private readonly configs: VersionedConfigs,
  ) {}

  /** @throws BAD_INPUT for an expression that cannot be used */
  async of(tx: Transaction, { kind, labels }: Pick<RolloutWish, 'kind' | 'labels'>): Promise<Agent[]> {
    const matches = labelsMatch(labels ?? []);
    return (await this.agents.ofKind(tx, kind)).filter((agent) => matches(agent.labels));
  }

  /** Whether an agent may be among the first: one that is ill already proves nothing. */
  isFit({ presence, state, desiredState, healthGrade }: Agent): boolean {
    const isAtWork = state === AgentState.RUNNING && desiredState === AgentState.RUNNING;
    return presence === AgentPresence.ONLINE && isAtWork && healthGrade === HealthGrade.HEALTHY;
  }

  /**
   * Decides which version an agent shall have that has just come: it joins the last wave of a rollout under way; after one that
   * succeeded it shall have its version, unless it came with a newer one. Its row is written already, and saved again by the caller.
   * @returns why it keeps the one it has, when its configuration does not go over
   */
  async meet(tx: Transaction, agent: Agent): Promise<string | undefined> {
    await this.rollouts.lockKind(tx, agent.kind);
    const rollout = await this.rollouts.latest(tx, agent.kind);
    if (!rollout || !labelsMatch(rollout.labels)(agent.labels)) return undefined;
    if (rollout.state === RolloutState.SUCCEEDED) {
      return compareVersions(agent.version, rollout.version) < 0
        ? await this.#want(tx, agent, rollout.version)
        : undefined;
    }
    if (agent.version === rollout.version) return undefined;
    await this.rollouts.addMembers(tx, rollout, [
      {
        agent: agent.uuid,
        stage: (rollout.plan['sizes'] as number[]).length - 1,
        phase: RolloutPhase.WAITING,
        fromVersion: agent.version,
        fromConfig: agent.config,
        isMeasured: false,
        restarts: agent.restarts,
      },
    ]);
    return undefined;
  }

  /** Nobody is asked here: the agent is not heard yet, and drifts until it is. */
  async #want(tx: Transaction, agent: Agent, version: string): Promise<string | undefined> {
    const all = await this.versions.ofKind(agent.kind, tx);
    try {
      agent.nextConfig = this.configs.carry(agent.config, all, agent.version, version);
      agent.desiredVersion = version;
      return undefined;
    } catch (error) {
      const expected = asFleetError(error);
      if (!expected) throw error;
      return `it does not go over to ${version}: ${expected.message}`;
    }
  }
}
