import { AgentState } from '../../../subgraphs/agents/entity/enums.ts';
import { recovery, waiting } from './platform-steps.ts';
import type { Rules } from './rules.ts';
import { stepsOf } from './steps.ts';
import type { Process, World } from './world.ts';

const { REGISTERED, RUNNING, PAUSED, STOPPED, QUARANTINED, RETIRED, FAILED } = AgentState;

/** What must be true of every world. @returns what is not */
export function faultOf(world: World, rules: Rules): string | undefined {
  const { desired } = world;
  if (![RUNNING, PAUSED, STOPPED, QUARANTINED, RETIRED].includes(desired)) return `it is asked to be ${desired}`;
  const seen = rules.observedState(desired, world.reported);
  if (desired === QUARANTINED && seen !== QUARANTINED) return `in quarantine it is seen as ${seen}`;
  if ((desired === RETIRED) !== (seen === RETIRED)) return `asked to be ${desired}, it is seen as ${seen}`;
  const lives = waiting(world).filter(({ name, expires }) => rules.overtaken.includes(name) && !expires);
  if (lives.length > 2) return `${lives.length} moves wait at the same time`;
  for (const process of world.processes) {
    const fault = process.incarnation === world.incarnation ? wordFault(world, process) : undefined;
    if (fault) return fault;
  }
  return undefined;
}

/** A process that has heard the platform's last word is where it is asked to be, or has failed. */
function wordFault(world: World, process: Process): string | undefined {
  const { state, failed, upTo } = process;
  if (failed || state === FAILED || upTo !== world.mail.length) return undefined;
  if (process.seen.some(({ n }) => n > upTo)) return undefined;
  return obeys(state, world.desired) ? undefined : `it heard that it is to be ${world.desired}, and is ${state}`;
}

/** What must be true of every step. @returns what is not */
export function stepFault(before: World, what: string, world: World): string | undefined {
  if (before.desired === RETIRED && world.desired !== RETIRED) return 'it came back from retirement';
  if (before.desired === QUARANTINED && ![QUARANTINED, RETIRED].includes(world.desired)) {
    if (!/^release is asked/.test(what)) return 'it left quarantine without a release';
  }
  if (what.startsWith('the platform steps in') && before.desired !== RUNNING) {
    return `the platform stepped in for one that is asked to be ${before.desired}`;
  }
  const ended = before.mail.findIndex(({ ended: was }, at) => was && world.mail[at]?.ended !== was);
  return ended < 0 ? undefined : `command ${ended + 1} ended as ${before.mail[ended]?.ended}, then otherwise`;
}

/** Whether a process in this state does what is asked: what was never started need not be held, nor fenced off. */
function obeys(state: AgentState, desired: AgentState): boolean {
  if (desired === PAUSED) return [PAUSED, REGISTERED, STOPPED].includes(state);
  return desired === QUARANTINED ? state !== RUNNING : state === desired;
}

const ROUNDS = 40;

/**
 * Lets a world come to rest: nothing fails or is lost any more, all that is under way arrives.
 * @returns why it did not come to what is asked of it
 */
export function restFault(world: World, rules: Rules): string | undefined {
  const led: string[] = [];
  let now: World = {
    ...world,
    left: { asks: 0, sends: 0, crashes: 0, starts: 0, losses: 0, silences: 0, failures: 0 },
  };
  const alive = now.processes.some(({ incarnation }) => incarnation === now.incarnation);
  if (!alive) now.left.starts = 1;
  for (let round = 0; round < ROUNDS; round += 1) {
    if (isAtRest(now, rules)) return undefined;
    const steps = stepsOf(now, rules).filter(({ what }) => !/expires$/.test(what));
    // What is on its way comes first, a beat when there is nothing else.
    const next = steps.find(({ what }) => !/ beats$/.test(what)) ?? steps[round % Math.max(1, steps.length)];
    if (!next) return 'nothing can happen any more';
    led.push(next.what);
    const { world: after, fault } = next.happen();
    if (fault) return `${fault} (then ${led.join(', ')})`;
    now = after;
  }
  return `it is ${now.processes.map(({ state }) => state).join()} and asked to be ${now.desired}, and stays so (then ${led.join(', ')})`;
}

function isAtRest(world: World, rules: Rules): boolean {
  const process = world.processes.find(({ incarnation }) => incarnation === world.incarnation);
  if (!process || process.upTo !== world.mail.length || process.answer || process.says || process.stream.length)
    return false;
  if (process.tells.length || recovery(world, rules) || waiting(world).length) return false;
  return obeys(process.state, world.desired) || process.state === FAILED;
}
