import DataLoader from 'dataloader';
import type { Call } from '../../../lib/call/signing.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { CursorSealer } from '../../../lib/cursor.ts';
import type { Transaction } from '../../../lib/database.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { Actor } from '../../../lib/graphql/shared.ts';
import { uuidOf } from '../../../lib/node-id.ts';
import type { EventDraft } from '../../../lib/write/rows.ts';
import type { WriteOutcome, Writes, Written } from '../../../lib/write/writes.ts';
import { type Agent, snapshotOf } from '../entity/agent.ts';
import type { AgentCommand } from '../entity/command.ts';
import { CommandOutcome } from '../entity/enums.ts';
import { incarnationOf } from '../entity/fence.ts';
import type { AgentStore } from '../store/agents.ts';
import type { MailStore } from '../store/mail.ts';
import type { StoryStore } from '../store/story.ts';
import { assertSpeaksFor, owns } from './access.ts';
import type { Connections } from './connections.ts';
import { takesCommands } from './lifecycle.ts';
import type { LiveAgent, LiveFleet } from './live.ts';
import { completionRefusal, hasExpired, isNewest } from './mail-rules.ts';
import { actorOf, agentEvent } from './record.ts';
import { type Soon, soon } from './soon.ts';

/** A command as a caller sends it. */
export interface Letter {
  agentId: string;
  name: string;
  arguments?: unknown;
  expiresAt?: Date | null | undefined;
  clientMutationId?: string | null | undefined;
}

/** How a command ended, as its agent says. */
export interface Completion {
  id: string;
  fence: string;
  outcome: CommandOutcome;
  result?: unknown;
  clientMutationId?: string | null | undefined;
}

export interface CommandResult {
  command: string;
}

const NAME = /^[A-Za-z][A-Za-z0-9._:-]{0,63}$/;
const MAX_BYTES = 64_000;
const PAGE = 100;

/** The event type that wakes readers of mailboxes. */
export const MAIL_EVENT = 'AgentCommand';

/** The event of a command that was put into a mailbox. */
export function mailEvent({ uuid, agentUuid }: AgentCommand): EventDraft {
  return { type: MAIL_EVENT, entityId: agentUuid, kind: 'CREATED', node: { uuid, agentUuid } };
}

/** Durable mail of agents: in order for each, until it says how it ended. */
export class Mailbox {
  readonly #pending: DataLoader<string, AgentCommand[]>;
  readonly #readers = new Map<string, Set<() => void>>();

  constructor(
    private readonly agents: AgentStore,
    private readonly mail: MailStore,
    private readonly story: StoryStore,
    private readonly writes: Writes,
    private readonly fleet: LiveFleet,
    private readonly connections: Connections,
    private readonly cursors: CursorSealer,
    private readonly clock: Clock,
  ) {
    this.#pending = new DataLoader(
      async (uuids) => {
        const boxes = new Map<string, AgentCommand[]>(uuids.map((uuid) => [uuid, []]));
        const commands = await this.mail.pending(uuids, new Date(this.clock.nowMs()), PAGE);
        for (const command of commands) boxes.get(command.agentUuid)?.push(this.#sealed(command));
        return uuids.map((uuid) => boxes.get(uuid) ?? []);
      },
      { cache: false },
    );
  }

  /** Puts a command into a mailbox, in a transaction that has the agent's row locked and saves it after. */
  async post(
    tx: Transaction,
    agent: Agent,
    by: Actor,
    letter: { name: string; arguments: unknown; expiresAt?: Date | null },
  ): Promise<{ command: AgentCommand; event: EventDraft }> {
    const command = await this.mail.issue(tx, agent, {
      uuid: this.clock.uuid(),
      expiresAt: null,
      ...letter,
      issuedAt: new Date(this.clock.nowMs()),
      issuedBy: by,
    });
    return { command, event: mailEvent(command) };
  }

  /** What waits for a live agent, as its next beat is told. */
  waiting(live: LiveAgent): Soon<AgentCommand[]> {
    const { mailChanges } = live;
    return soon(live.mail ?? this.#pending.load(live.uuid), (mail) => {
      if (live.mailChanges === mailChanges) live.mail = mail;
      const nowMs = this.clock.nowMs();
      return mail.filter((command) => !hasExpired(command, nowMs));
    });
  }

  /**
   * The commands of an agent that have not ended, in order, at most 100; for itself, and for those who may command it.
   * @throws FORBIDDEN
   */
  pending(call: Call, agent: Agent): Promise<AgentCommand[]> {
    assertSpeaksFor(call.principal, agent);
    return this.#pending.load(agent.uuid);
  }

  /** Sends an agent a command; it waits until the agent takes it or it expires. */
  async send(call: Call, letter: Letter): Promise<WriteOutcome<CommandResult>> {
    let uuid = '';
    const outcome = await this.writes.run<CommandResult>({
      call,
      action: 'sendAgentCommand',
      args: letter as never,
      target: { type: 'Agent', id: letter.agentId },
      run: async (tx): Promise<Written<CommandResult>> => {
        this.#assertLetter(letter);
        uuid = uuidOf('Agent', letter.agentId, ['agentId']);
        const agent = await this.agents.lock(tx, uuid);
        if (!agent || agent.deregisteredAt)
          throw new FleetError('NOT_FOUND', 'there is no such agent', { field: ['agentId'] });
        if (!takesCommands(agent.desiredState)) {
          throw new FleetError('CONFLICT', `agent ${agent.name} is ${agent.state}: it takes no commands`);
        }
        const by = actorOf(call.principal);
        const { command, event } = await this.post(tx, agent, by, {
          name: letter.name,
          arguments: letter.arguments ?? {},
          expiresAt: letter.expiresAt ?? null,
        });
        await this.agents.save(tx, agent);
        await this.#tell(tx, command, 'command.issued', {}, by);
        return {
          result: { command: command.uuid },
          target: { type: 'Agent', id: agent.id },
          after: { command: command.id, name: command.name, expiresAt: command.expiresAt },
          events: [event],
        };
      },
    });
    if (uuid) this.wake(uuid);
    return outcome;
  }

  /** Takes an agent's word on how a command ended; only from the process whose command it is (its fence). */
  async complete(call: Call, completion: Completion): Promise<WriteOutcome<CommandResult>> {
    let changed: Agent | undefined;
    const outcome = await this.writes.run<CommandResult>({
      call,
      action: 'completeCommand',
      args: completion as never,
      target: { type: 'AgentCommand', id: completion.id },
      run: async (tx): Promise<Written<CommandResult>> => {
        const uuid = uuidOf('AgentCommand', completion.id);
        const known = await this.mail.find(uuid);
        const agent = known && (await this.agents.lock(tx, known.agentUuid));
        const command = agent && (await this.mail.lock(tx, uuid));
        if (!command || agent.deregisteredAt)
          throw new FleetError('NOT_FOUND', 'there is no such command', { field: ['id'] });
        assertSpeaksFor(call.principal, agent);
        this.#assertCompletes(command, completion);
        const now = new Date(this.clock.nowMs());
        Object.assign(command, { completedAt: now, outcome: completion.outcome, result: completion.result ?? null });
        await this.mail.complete(tx, command);
        const before = snapshotOf(agent);
        const restarted = command.name === 'restart' && completion.outcome === CommandOutcome.DONE;
        if (restarted) countRestart(agent, now.getTime());
        await this.agents.save(tx, agent);
        await this.#tell(
          tx,
          command,
          'command.completed',
          { outcome: completion.outcome, result: completion.result ?? null },
          actorOf(call.principal),
        );
        changed = agent;
        return {
          result: { command: command.uuid },
          target: { type: 'Agent', id: agent.id },
          after: { command: command.id, name: command.name, outcome: completion.outcome },
          events: restarted ? [agentEvent(agent, before)] : [],
        };
      },
    });
    if (outcome.result && changed) this.fleet.adopt(changed);
    return outcome;
  }

  /** The command with its cursor. */
  async find(uuid: string): Promise<AgentCommand | null> {
    const command = await this.mail.find(uuid);
    return command && this.#sealed(command);
  }

  /**
   * An agent's mail as it comes: what waits first, or what waits behind a cursor.
   * @throws NOT_FOUND, FORBIDDEN, BAD_CURSOR
   */
  async subscribe(
    call: Call,
    agentId: string,
    after: string | null | undefined,
  ): Promise<AsyncIterableIterator<AgentCommand>> {
    const uuid = uuidOf('Agent', agentId, ['agentId']);
    const [agent] = await this.agents.findMany([uuid]);
    if (!agent || agent.deregisteredAt)
      throw new FleetError('NOT_FOUND', 'there is no such agent', { field: ['agentId'] });
    assertSpeaksFor(call.principal, agent);
    const from = after == null ? 0 : Number(this.cursors.open(`commands:${uuid}`, after)[0]);
    // Who watches another's mailbox is no sign of its life.
    const closed = owns(call.principal, agent) ? this.connections.opened(uuid) : () => undefined;
    return this.#read(uuid, from, call.principal.incarnation ?? agent.incarnation, closed);
  }

  /** Tells readers of a mailbox, and the next beat, that there is something new. */
  wake(uuid: string): void {
    this.fleet.mailChanged(uuid);
    for (const wake of this.#readers.get(uuid) ?? []) wake();
  }

  /** Tells all readers, after events may have been missed. */
  wakeAll(): void {
    for (const uuid of this.#readers.keys()) this.wake(uuid);
  }

  /** Ends what nobody took in time. */
  async expire(): Promise<void> {
    for (const uuid of await this.mail.expire(new Date(this.clock.nowMs()))) this.fleet.mailChanged(uuid);
  }

  /**
   * @param incarnation of the process that reads: when another takes its place, the mail is that one’s
   * @param closed called when nobody reads any longer
   */
  #read(
    uuid: string,
    from: number,
    incarnation: number,
    closed: (byItself: boolean) => void,
  ): AsyncIterableIterator<AgentCommand> {
    let at = from;
    let batch: AgentCommand[] = [];
    let isDone = false;
    let isWoken = true;
    let resume = () => {};
    const wake = () => {
      isWoken = true;
      resume();
    };
    const readers = this.#readers.get(uuid) ?? new Set();
    this.#readers.set(uuid, readers.add(wake));
    const next = async (): Promise<IteratorResult<AgentCommand>> => {
      while (!isDone) {
        const command = batch.shift();
        if (command) {
          if (!isNewest(incarnation, incarnationOf(command.fence))) {
            // Its successor lives: nothing is held against the agent.
            leave(false);
            throw new FleetError(
              'CONFLICT',
              'another process of this agent took over: register again to be given its mail',
            );
          }
          at = command.number;
          return { value: this.#sealed(command), done: false };
        }
        if (isWoken) {
          isWoken = false;
          batch = await this.#behind(uuid, at).catch((error: unknown) => {
            leave(false);
            throw error;
          });
          // A full page may have more behind it.
          isWoken ||= batch.length === PAGE;
        } else {
          await new Promise<void>((resolve) => (resume = resolve));
        }
      }
      return { value: undefined, done: true };
    };
    const leave = (byItself: boolean) => {
      isDone = true;
      closed(byItself);
      readers.delete(wake);
      if (!readers.size && this.#readers.get(uuid) === readers) this.#readers.delete(uuid);
      resume();
    };
    const end = (): Promise<IteratorResult<AgentCommand>> => {
      leave(true);
      return Promise.resolve({ value: undefined, done: true });
    };
    return {
      next,
      return: end,
      throw: end,
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** What waits behind a number. Many who are woken together, as by a job, are read together. */
  async #behind(uuid: string, number: number): Promise<AgentCommand[]> {
    const mail = await this.#pending.load(uuid);
    if (mail.length < PAGE) return mail.filter((command) => command.number > number);
    return this.mail.pendingAfter(uuid, number, new Date(this.clock.nowMs()), PAGE);
  }

  #sealed(command: AgentCommand): AgentCommand {
    command.cursor = this.cursors.seal(`commands:${command.agentUuid}`, [command.number]);
    return command;
  }

  #tell(tx: Transaction, command: AgentCommand, name: string, detail: object, actor: Actor): Promise<void> {
    const { agentUuid, id, name: what } = command;
    const occurredAt = new Date(this.clock.nowMs());
    return this.story.add(tx, [
      { id: this.clock.uuid(), agentUuid, occurredAt, name, detail: { id, command: what, ...detail }, actor },
    ]);
  }

  #assertLetter({ name, arguments: given, expiresAt }: Letter): void {
    if (!NAME.test(name)) {
      throw new FleetError('BAD_INPUT', 'a command’s name is a letter and up to 63 letters, digits, . _ : -', {
        field: ['name'],
      });
    }
    if (JSON.stringify(given ?? null).length > MAX_BYTES) {
      throw new FleetError('BAD_INPUT', `arguments have at most ${MAX_BYTES} characters`, { field: ['arguments'] });
    }
    if (expiresAt && expiresAt.getTime() <= this.clock.nowMs()) {
      throw new FleetError('BAD_INPUT', 'this command would have expired already', { field: ['expiresAt'] });
    }
  }

  #assertCompletes(command: AgentCommand, { fence, outcome, result }: Completion): void {
    if (outcome === CommandOutcome.EXPIRED) {
      throw new FleetError('BAD_INPUT', 'only time lets a command expire: say DONE, FAILED or REFUSED', {
        field: ['outcome'],
      });
    }
    if (JSON.stringify(result ?? null).length > MAX_BYTES) {
      throw new FleetError('BAD_INPUT', `a result has at most ${MAX_BYTES} characters`, { field: ['result'] });
    }
    const refusal = completionRefusal(command, fence, this.clock.nowMs());
    if (refusal) throw new FleetError('CONFLICT', refusal.sentence, refusal.field ? { field: refusal.field } : {});
  }
}

const RESTARTS_KEPT = 20;

/** Counts a restart of an agent whose row is locked. */
export function countRestart(agent: Agent, nowMs: number): void {
  agent.restarts += 1;
  agent.saidSince = new Date(nowMs);
  agent.restartedAtMs = [...agent.restartedAtMs, nowMs].slice(-RESTARTS_KEPT);
}
