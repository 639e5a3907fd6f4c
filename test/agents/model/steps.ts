import { messageOf } from '../../../lib/errors.ts';
import { AgentState } from '../../../subgraphs/agents/entity/enums.ts';
import {
  ask,
  complete,
  deliveredOf,
  heal,
  lifeOf,
  recovery,
  register,
  send,
  takeBeat,
  waiting,
} from './platform-steps.ts';
import { hear, take } from './process-steps.ts';
import type { Rules } from './rules.ts';
import { type Budget, type Command, copyOf, type Process, type World } from './world.ts';

/** Something that can happen next. */
export interface Step {
  what: string;
  /** The world after it, and what is wrong about that. */
  happen(): { world: World; fault: string | undefined };
}

/** Everything that can happen in a world: to operators, to the platform, to processes, and to what is between them. */
export function stepsOf(world: World, rules: Rules): Step[] {
  const steps: Step[] = [];
  const add = (what: string, change: (next: World) => unknown, costs?: keyof Budget) => {
    if (costs && world.left[costs] <= 0) return;
    const happen = () => {
      const next = copyOf(world);
      if (costs) next.left[costs] -= 1;
      return { world: next, fault: faultIn(() => change(next)) };
    };
    steps.push({ what, happen });
  };
  for (const action of rules.actionsOf(lifeOf(world))) {
    add(`${action} is asked`, (next) => ask(next, rules, action), 'asks');
  }
  if (rules.takesCommands(world.desired)) add('work is sent', (next) => send(next, rules), 'sends');
  const { offline } = world;
  if (!offline && world.reported !== AgentState.REGISTERED) {
    add('its lease ends', (next) => Object.assign(next, { offline: true }), 'silences');
  }
  const step = recovery(world, rules);
  if (step) add(`the platform steps in: ${step}`, (next) => heal(next, rules, step));
  for (const { n } of waiting(world).filter(({ expires }) => expires)) {
    add(`command ${n} expires`, (next) => Object.assign(next.mail[n - 1] as Command, { ended: 'EXPIRED' }));
  }
  if (world.processes.length < 2) add('a new process registers', (next) => register(next, rules), 'starts');
  for (const at of world.processes.keys()) processSteps(world, at, rules, add);
  return steps;
}

/** What a change says is wrong; a rule that refuses what was taken to be possible is wrong too. */
function faultIn(change: () => unknown): string | undefined {
  try {
    const fault = change();
    return typeof fault === 'string' ? fault : undefined;
  } catch (error) {
    return messageOf(error);
  }
}

type Add = (what: string, change: (next: World) => unknown, costs?: keyof Budget) => void;

function processSteps(world: World, at: number, rules: Rules, add: Add): void {
  const process = world.processes[at] as Process;
  const who = `process ${process.incarnation}`;
  const of = (next: World) => next.processes[at] as Process;
  // Once the new one has spoken, the token of the one before it is void.
  const mayCall =
    process.incarnation === world.incarnation || world.processes.every(({ upTo }, each) => each === at || upTo < 0);
  add(`${who} is killed`, (next) => next.processes.splice(at, 1), 'crashes');
  if (!process.says && !process.answer)
    add(`${who} beats`, (next) => Object.assign(of(next), { says: of(next).state }));
  if (process.says && mayCall) add(`${who}: its beat arrives`, (next) => takeBeat(next, rules, of(next)));
  if (process.says || process.answer) {
    add(
      `${who}: a beat or its answer is lost`,
      (next) => Object.assign(of(next), { says: '', answer: undefined }),
      'losses',
    );
  }
  if (process.answer) {
    add(`${who} hears the answer`, (next) => hear(next, of(next), rules, false));
    add(`${who} hears the answer; a start fails`, (next) => hear(next, of(next), rules, true), 'failures');
  }
  const pushed = waiting(world).find(({ n }) => n > process.cursor);
  if (pushed && mayCall && rules.isNewest(process.incarnation, world.incarnation) && process.stream.length < 2) {
    add(`command ${pushed.n} is sent to ${who}`, (next) => {
      of(next).stream.push(deliveredOf(pushed));
      of(next).cursor = pushed.n;
    });
  }
  const [arriving] = process.stream;
  if (arriving) {
    const receive = (startFails: boolean) => (next: World) => {
      of(next).stream.shift();
      return take(next, of(next), arriving, rules, startFails);
    };
    add(`command ${arriving.n} arrives at ${who}`, receive(false));
    if (arriving.name !== 'work')
      add(`command ${arriving.n} arrives at ${who}; a start fails`, receive(true), 'failures');
  }
  const [telling] = process.tells;
  if (telling && mayCall) {
    add(`${who} tells how command ${telling.n} ended`, (next) => {
      of(next).tells.shift();
      return complete(next, rules, telling);
    });
    add(
      `${who} tells how command ${telling.n} ended; the answer is lost`,
      (next) => complete(next, rules, telling),
      'losses',
    );
  } else if (telling) {
    // Nobody takes its word any more.
    add(`${who} gives up telling`, (next) => of(next).tells.shift());
  }
}
