import type { Call } from '../../../../lib/call/signing.ts';
import type { Clock } from '../../../../lib/clock.ts';
import type { CursorSealer } from '../../../../lib/cursor.ts';
import type { Transaction } from '../../../../lib/database.ts';
import { asFleetError, FleetError } from '../../../../lib/errors.ts';
import type { ChangeSubscription, EventStream } from '../../../../lib/events/stream.ts';
import { uuidOf } from '../../../../lib/node-id.ts';
import { type Page, type PageArgs, pageOf, readPage } from '../../../../lib/page.ts';
import type { WriteOutcome, Writes } from '../../../../lib/write/writes.ts';
import type { Agent } from '../../entity/agent.ts';
import type { AgentVersion } from '../../entity/agent-version.ts';
import { Rollout, rolloutSnapshot, stagesOf } from '../../entity/rollout.ts';
import { RolloutPhase, RolloutState } from '../../entity/rollout-enums.ts';
import type { RolloutStore } from '../../store/rollouts.ts';
import type { VersionStore } from '../../store/versions.ts';
import { actorOf } from '../record.ts';
import type { VersionedConfigs } from '../version/versioned-configs.ts';
import type { Conductor, Written } from './conductor.ts';
import { drawStages, sizesOf, unavailableOf } from './plan.ts';
import { planOf, type RolloutWish } from './rollout-wish.ts';
import { lifeOf, type RolloutEvent } from './rules.ts';
import type { Targets } from './targets.ts';

export interface RolloutResult {
  rollout: string;
  /** The rollout as it would be, for a dry run. */
  preview?: object;
}

/** What a person does to a rollout. */
export interface RolloutAction {
  id: string;
  reason?: string | null | undefined;
  promote?: boolean | null | undefined;
  clientMutationId?: string | null | undefined;
}

/** The stream of rollouts. */
const STREAM = 'Rollout';
/** Agents of each stage whose beats are evidence: more would prove no more. */
const MEASURED = 200;

/** Starts rollouts, and does to them what people ask. */
export class Rollouts {
  constructor(
    private readonly store: RolloutStore,
    private readonly versions: VersionStore,
    private readonly configs: VersionedConfigs,
    private readonly targets: Targets,
    private readonly conductor: Conductor,
    private readonly writes: Writes,
    private readonly cursors: CursorSealer,
    private readonly events: EventStream,
    private readonly clock: Clock,
  ) {}

  find(uuid: string): Promise<Rollout | null> {
    return this.store.find(uuid);
  }

  /** Newest first. */
  async page(args: PageArgs): Promise<Page<Rollout>> {
    const request = readPage(args, this.cursors, 'rollouts');
    const rows = await this.store.page(request);
    return {
      ...pageOf(rows, request, this.cursors, 'rollouts', ({ startedAt, uuid }) => [startedAt.getTime(), uuid]),
      totalCount: () => this.store.count(),
    };
  }

  /** Changes of one rollout, or of all. */
  changes(id: string | null | undefined, after: string | null | undefined): Promise<ChangeSubscription> {
    const uuid = id == null ? undefined : uuidOf('Rollout', id);
    return this.events.subscribe({
      type: STREAM,
      after,
      matches: (node) => uuid === undefined || node['uuid'] === uuid,
    });
  }

  /** Begins a rollout; CONFLICT while another one of the kind is under way, or with the agent whose configuration would lose something. */
  start(call: Call, input: RolloutWish): Promise<WriteOutcome<RolloutResult>> {
    return this.writes.run<RolloutResult>({
      call,
      action: 'startRollout',
      args: { ...input },
      target: { type: 'Rollout', id: `${input.kind}@${input.version}` },
      run: async (tx, entryId) => {
        await this.store.lockKind(tx, input.kind);
        const all = await this.#published(tx, input);
        const agents = (await this.targets.of(tx, input)).filter(({ version }) => version !== input.version);
        if (!agents.length) {
          throw new FleetError('NOT_FOUND', `no agent of the kind ${input.kind} has another version`, {
            field: ['kind'],
          });
        }
        this.#assertCarried(agents, all, input.version);
        const rollout = this.#rolloutOf(call, input, agents.length, entryId);
        const stages = drawStages(
          agents.map((agent) => ({ isFit: this.targets.isFit(agent) })),
          rollout.plan['sizes'] as number[],
          () => this.clock.random(),
        );
        const members = agents.map((agent, at) => ({
          agent: agent.uuid,
          stage: stages[at] as number,
          phase: RolloutPhase.WAITING,
          fromVersion: agent.version,
          fromConfig: agent.config,
          isMeasured: isMeasured(stages, at),
          restarts: agent.restarts,
        }));
        rollout.stages = stagesOf(members, (rollout.plan['sizes'] as number[]).length);
        await this.store.save(tx, rollout);
        await this.store.addMembers(tx, rollout, members);
        const node = rolloutSnapshot(rollout);
        return {
          result: { rollout: rollout.uuid, ...(input.dryRun ? { preview: { ...rollout } } : {}) },
          target: { type: 'Rollout', id: rollout.id },
          after: { kind: rollout.kind, version: rollout.version, plan: rollout.plan, agents: agents.length },
          events: [{ type: STREAM, entityId: rollout.uuid, kind: 'CREATED', node }],
        };
      },
    });
  }

  /** Holds a rollout where it is, lets it go on, or takes it back. */
  async act(
    call: Call,
    kind: 'pause' | 'resume' | 'abort',
    input: RolloutAction,
  ): Promise<WriteOutcome<RolloutResult>> {
    let written: Written | undefined;
    const outcome = await this.writes.run<RolloutResult>({
      call,
      action: `${kind}Rollout`,
      args: input,
      target: { type: 'Rollout', id: input.id },
      run: async (tx, entryId) => {
        const rollout = await this.store.lock(tx, uuidOf('Rollout', input.id), true);
        if (!rollout) throw new FleetError('NOT_FOUND', 'there is no such rollout', { field: ['id'] });
        const before = { state: rollout.state, stage: rollout.stage };
        rollout.changedBy = entryId;
        const reason = `${kind}: ${input.reason ?? 'no reason given'} (${call.principal.name})`;
        const event: RolloutEvent =
          kind === 'resume' ? { kind, reason, promote: input.promote === true } : { kind, reason };
        written = await this.conductor.ask(tx, rollout, event);
        return {
          result: { rollout: rollout.uuid },
          target: { type: 'Rollout', id: rollout.id },
          before,
          after: { state: rollout.state, stage: rollout.stage },
          events: written.events,
        };
      },
    });
    if (outcome.result && written) this.conductor.told(written);
    return outcome;
  }

  async #published(tx: Transaction, { kind, version }: RolloutWish): Promise<AgentVersion[]> {
    const all = await this.versions.ofKind(kind, tx);
    if (!all.some((each) => each.version === version)) {
      throw new FleetError('NOT_FOUND', `${kind} ${version} is not published: publish it first`, {
        field: ['version'],
      });
    }
    const latest = await this.store.latest(tx, kind);
    if (latest && !latest.endedAt) {
      throw new FleetError('CONFLICT', `${kind} ${latest.version} is on its way (${latest.id}): abort it first`, {
        field: ['kind'],
      });
    }
    return all;
  }

  /** Every configuration is carried over once before anything begins. */
  #assertCarried(agents: readonly Agent[], all: readonly AgentVersion[], to: string): void {
    for (const agent of agents) {
      try {
        this.configs.carry(agent.config, all, agent.version, to);
      } catch (error) {
        const expected = asFleetError(error);
        if (!expected) throw error;
        throw new FleetError('CONFLICT', `the configuration of ${agent.name} does not go over: ${expected.message}`, {
          field: ['version'],
          path: expected.extensions['path'],
        });
      }
    }
  }

  #rolloutOf(call: Call, input: RolloutWish, agents: number, entryId: string): Rollout {
    const nowMs = this.clock.nowMs();
    const plan = planOf(input, nowMs);
    const sizes = sizesOf(agents, plan.wish);
    const maxUnavailable = unavailableOf(agents, plan.wish.maxUnavailablePercent);
    return Object.assign(new Rollout(), {
      uuid: this.clock.uuid(),
      kind: input.kind,
      version: input.version,
      labels: [...(input.labels ?? [])],
      plan: { ...plan.times, sizes, maxUnavailable },
      life: { ...lifeOf(nowMs, 'it waits for its time') },
      state: RolloutState.SCHEDULED,
      findings: [],
      note: input.reason ?? null,
      startedAt: new Date(nowMs),
      startedBy: actorOf(call.principal),
      endedAt: null,
      changedBy: entryId,
    });
  }
}

/** The first so many of each stage are measured, of the last stage too: they are what the others are compared with. */
function isMeasured(stages: readonly number[], at: number): boolean {
  const stage = stages[at];
  let before = 0;
  for (let each = 0; each < at; each += 1) if (stages[each] === stage) before += 1;
  return before < MEASURED;
}
