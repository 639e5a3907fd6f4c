import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import type { Actor } from '../../../lib/graphql/shared.ts';
import type { Agent } from '../entity/agent.ts';
import { AgentCommand } from '../entity/command.ts';
import { CommandOutcome } from '../entity/enums.ts';
import { fenceOf } from '../entity/fence.ts';

/** A command before it has its place in the mailbox. */
export interface CommandDraft {
  uuid: string;
  name: string;
  arguments: unknown;
  issuedAt: Date;
  issuedBy: Actor;
  expiresAt: Date | null;
}

/** Mailboxes in PostgreSQL. */
export class MailStore {
  constructor(private readonly database: DataSource) {}

  /** Puts a command behind the agent's others. The agent's row is locked, and saved by the caller: it counts them. */
  async issue(tx: Transaction, agent: Agent, draft: CommandDraft): Promise<AgentCommand> {
    const [command] = await this.issueAll(tx, [{ agent, draft }]);
    return command as AgentCommand;
  }

  /** The same for many in one statement. */
  async issueAll(tx: Transaction, letters: readonly { agent: Agent; draft: CommandDraft }[]): Promise<AgentCommand[]> {
    const commands = letters.map(({ agent, draft }) => {
      agent.commandCount += 1;
      const number = agent.commandCount;
      const place = { agentUuid: agent.uuid, number, fence: fenceOf(agent.incarnation, number) };
      return Object.assign(new AgentCommand(), draft, place, { completedAt: null, outcome: null, result: null });
    });
    await tx.query(
      `insert into command (id, agent_id, number, name, arguments, fence, issued_at, issued_by, expires_at)
       select c.uuid, c."agentUuid", c.number, c.name, coalesce(c.arguments, 'null'), c.fence, c."issuedAt", c."issuedBy", c."expiresAt"
         from jsonb_to_recordset($1::jsonb) as c(uuid uuid, "agentUuid" uuid, number int, name text, arguments jsonb,
              fence text, "issuedAt" timestamptz, "issuedBy" jsonb, "expiresAt" timestamptz)`,
      [JSON.stringify(commands)],
    );
    return commands;
  }

  find(uuid: string): Promise<AgentCommand | null> {
    return this.database.getRepository(AgentCommand).findOneBy({ uuid });
  }

  /** One command, locked; its agent's row is locked already. */
  lock(tx: Transaction, uuid: string): Promise<AgentCommand | null> {
    return tx.getRepository(AgentCommand).findOne({ where: { uuid }, lock: { mode: 'pessimistic_write' } });
  }

  async complete(tx: Transaction, command: AgentCommand): Promise<void> {
    await tx.query('update command set completed_at = $2, outcome = $3, result = $4::jsonb where id = $1', [
      command.uuid,
      command.completedAt,
      command.outcome,
      JSON.stringify(command.result ?? null),
    ]);
  }

  /** What waits in these mailboxes, in each agent's own order, at most `limit` a mailbox. */
  pending(agents: readonly string[], now: Date, limit: number): Promise<AgentCommand[]> {
    return this.database
      .getRepository(AgentCommand)
      .createQueryBuilder('command')
      .where(
        `command.completed_at is null and command.agent_id = any(:agents)
         and (command.expires_at is null or command.expires_at > :now)
         and command.number < :limit + (select min(first.number) from command first
              where first.agent_id = command.agent_id and first.completed_at is null
                and (first.expires_at is null or first.expires_at > :now))`,
        { agents: [...agents], now, limit },
      )
      .orderBy('command.agentUuid')
      .addOrderBy('command.number')
      .getMany();
  }

  /** What waits in one mailbox behind a number, in order. */
  pendingAfter(agent: string, number: number, now: Date, limit: number): Promise<AgentCommand[]> {
    return this.database
      .getRepository(AgentCommand)
      .createQueryBuilder('command')
      .where(
        `command.agent_id = :agent and command.number > :number and command.completed_at is null
         and (command.expires_at is null or command.expires_at > :now)`,
        { agent, number, now },
      )
      .orderBy('command.number')
      .limit(limit)
      .getMany();
  }

  /** Gives what waits to the agent's new process: what the old one still says of it is void. */
  async fenceAnew(tx: Transaction, agent: Agent): Promise<void> {
    await tx.query(
      `update command set fence = $2::text || '.' || number where agent_id = $1 and completed_at is null`,
      [agent.uuid, agent.incarnation],
    );
  }

  /** Ends an agent's waiting commands of this name, or all: something later made them needless. */
  void(tx: Transaction, agent: Agent, now: Date, name: string | null = null): Promise<void> {
    return this.voidAll(tx, [agent], now, name === null ? null : [name]);
  }

  /** Ends waiting commands of these names, or all, of many agents. */
  async voidAll(tx: Transaction, agents: readonly Agent[], now: Date, names: readonly string[] | null): Promise<void> {
    await tx.query(
      `update command set completed_at = $3, outcome = '${CommandOutcome.EXPIRED}'
        where agent_id = any($1::uuid[]) and completed_at is null and ($2::text[] is null or name = any($2))`,
      [agents.map(({ uuid }) => uuid), names, now],
    );
  }

  /** Ends what nobody took in time. @returns whose mailboxes changed */
  async expire(now: Date): Promise<string[]> {
    const [rows]: [{ agent_id: string }[], number] = await this.database.query(
      `update command set completed_at = $1, outcome = '${CommandOutcome.EXPIRED}'
        where completed_at is null and expires_at <= $1 returning agent_id`,
      [now],
    );
    return [...new Set(rows.map(({ agent_id }) => agent_id))];
  }
}
