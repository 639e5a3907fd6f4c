import { ASKED_BY, moveTowards } from '../../../sdk/wire/lifecycle.ts';
import { AgentState } from '../../../subgraphs/agents/entity/enums.ts';
import type { Rules } from './rules.ts';
import type { Delivered, Process, World } from './world.ts';

/** What a process of an agent does, by the SDK's rules. Its hooks are taken to run at once; a start may fail. */

/** Moves towards what is desired, as far as its rules lead. */
function settle(process: Process, startFails: boolean): void {
  for (let steps = 0; steps < 4 && !process.failed; steps += 1) {
    const next = moveTowards(process.state, process.desired);
    if (!next) return;
    if (next.step === 'start' && startFails) fail(process);
    else process.state = next.to as AgentState;
  }
}

function fail(process: Process): void {
  process.failed = true;
  process.state = AgentState.FAILED;
}

function restart(process: Process, startFails: boolean): void {
  process.failed = false;
  if (startFails) fail(process);
  else process.state = AgentState.RUNNING;
}

/** A command that arrived. @returns what is wrong about it */
export function take(
  world: World,
  process: Process,
  command: Delivered,
  rules: Rules,
  startFails: boolean,
): string | undefined {
  const newest = Math.max(0, ...process.seen.map(({ n }) => n));
  const before = process.seen.find(({ n }) => n === command.n);
  const dealing = rules.dealingWith(command.fence, before && { fence: before.fence }, newest);
  if (dealing === 'nothing') return undefined;
  process.seen = [...process.seen.filter(({ n }) => n !== command.n), command];
  if (dealing === 'tell') {
    process.tells.push({ ...command, outcome: 'DONE' });
    return undefined;
  }
  const place = `${command.n}@${command.fence}`;
  const fault = world.done.includes(place)
    ? `command ${command.n} was done twice under the fence ${command.fence}`
    : newest > command.n
      ? `command ${command.n} was done behind command ${newest}`
      : undefined;
  world.done.push(place);
  obey(process, command, startFails);
  process.tells.push({ ...command, outcome: process.failed ? 'FAILED' : 'DONE' });
  return fault;
}

function obey(process: Process, { name }: Delivered, startFails: boolean): void {
  const desired = ASKED_BY[name] as AgentState | undefined;
  if (name === 'restart') restart(process, startFails);
  if (!desired) return;
  process.failed = false;
  process.desired = desired;
  settle(process, startFails);
}

/** The answer to its beat. @returns what is wrong about it */
export function hear(world: World, process: Process, rules: Rules, startFails: boolean): string | undefined {
  const { answer } = process;
  process.answer = undefined;
  if (!answer) return undefined;
  for (const command of answer.commands) {
    const fault = take(world, process, command, rules, startFails);
    if (fault) return fault;
  }
  if (answer.desired !== process.desired) process.failed = false;
  process.desired = answer.desired;
  process.upTo = Math.max(process.upTo, answer.upTo);
  settle(process, startFails);
  return undefined;
}
