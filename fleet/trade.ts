import { kindsWith, perAgent, perTask } from '../sdk/factory/index.ts';
import {
  type Agent,
  errorAttributes,
  HOOKS,
  type HookContext,
  type HookName,
  type Surroundings,
} from '../sdk/index.ts';
import type { Bus } from './bus.ts';
import type { Chance } from './chance.ts';
import { Condition } from './condition.ts';
import { type DeskNeeds, deskFor } from './desk.ts';
import type { Desk, Task } from './task.ts';

/** What all agents of the demo share. */
export interface FleetShared {
  bus: Bus;
  /** Dice of its own for each agent, from the demo's seed. */
  dice: () => Chance;
}

/** Defines a kind of the demo. */
export const defineTrade = kindsWith<FleetShared>();

/** Parts that every agent of the demo has. */
export const PARTS = {
  condition: perAgent(
    ({ agent, dice, surroundings }: { agent: Agent; dice: FleetShared['dice']; surroundings: Surroundings }) =>
      new Condition(agent.name, dice(), surroundings),
    (condition) => condition.abandon(),
  ),
  desk: perTask((needs: DeskNeeds) => deskFor(needs)),
};

interface Basic {
  agent: Agent;
  condition: Condition;
}

/** What every agent of the demo does at each point of its life; a kind has its own where it does more. */
export const LIFE = {
  ...(Object.fromEntries(HOOKS.map((hook) => [hook, noteHook])) as Record<HookName, typeof noteHook>),
  beforeStart: (deps: Basic, context: HookContext) => {
    deps.condition.recover();
    noteHook(deps, context);
  },
};

function noteHook({ agent }: Basic, { hook }: HookContext): void {
  agent.counter('life_total', 1, { hook });
}

/** What every agent of the demo can be asked. */
export const COMMANDS = {
  report: (_: Record<string, unknown>, { agent, condition }: Basic) => ({
    state: agent.state,
    version: agent.definition.version,
    ailment: condition.ailment ?? null,
  }),
  diagnose: ({ part }: Record<string, unknown>, { condition }: Basic) => {
    if (part !== 'condition') throw new Error(`this agent has no part ${String(part)}`);
    return { ailment: condition.ailment ?? null };
  },
};

export const CHECKS = {
  tools: ({ condition }: Basic) =>
    condition.ailment === 'errors' ? { ok: false, message: 'the model provider refuses' } : { ok: true },
};

/** Becomes another version: loads it, and goes on as that. */
export async function changeVersion({ version }: { version: string }, { agent, condition }: Basic): Promise<void> {
  await condition.take(20);
  agent.tell('info', 'upgraded', { 'service.version': version });
}

/** Configuration that agents of every kind have. */
export function modelConfig<const Model extends string, const Temperature extends number>(
  model: Model,
  temperature: Temperature,
) {
  return {
    model: { description: 'The model that is asked.', type: 'string', minLength: 1, default: model },
    maxConcurrentTasks: {
      description: "Tasks at a time; the demo's agents do one.",
      type: 'integer',
      minimum: 1,
      maximum: 1,
      default: 1,
    },
    temperature: {
      description: 'How freely the model answers.',
      type: 'number',
      minimum: 0,
      maximum: 2,
      default: temperature,
    },
  } as const;
}

/** Does a task by a kind's behaviour; its end is a log line, well or ill. */
export async function atWork(
  { jobId }: Task,
  { agent, desk }: { agent: Agent; desk: Desk },
  behaviour: (desk: Desk) => Promise<string>,
): Promise<string> {
  try {
    const result = await behaviour(desk);
    agent.log.info('task done', { 'fleet.job.id': jobId, result });
    return result;
  } catch (error) {
    agent.log.error('task failed', { 'fleet.job.id': jobId, ...errorAttributes(error) });
    throw error;
  }
}
