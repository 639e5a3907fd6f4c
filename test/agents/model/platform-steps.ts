import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { AgentState, CommandOutcome } from '../../../subgraphs/agents/entity/enums.ts';
import { RecoveryAction } from '../../../subgraphs/agents/entity/recovery.ts';
import type { Life, LifeAction } from '../../../subgraphs/agents/service/lifecycle.ts';
import type { Rules } from './rules.ts';
import { type Answer, type Command, type Delivered, newProcess, type Process, type World } from './world.ts';

/** What the platform does in one transaction each. */

export const lifeOf = ({ desired, reported, held }: World): Life => ({ desired, reported, held });

export const waiting = (world: World): Command[] => world.mail.filter(({ ended }) => !ended);

function post(world: World, rules: Rules, name: string, expires = false): void {
  const n = world.mail.length + 1;
  world.mail.push({ n, name, fence: rules.fenceOf(world.incarnation, n), ended: '', expires });
}

function voidNamed(world: World, names: readonly string[]): void {
  for (const command of waiting(world)) if (names.includes(command.name)) command.ended = 'EXPIRED';
}

function moveTo(world: World, rules: Rules, action: LifeAction): void {
  const next = rules.move('a', lifeOf(world), action);
  Object.assign(world, { desired: next.desired, held: next.held });
}

/** A mutation: startAgent, pauseAgent, … */
export function ask(world: World, rules: Rules, action: LifeAction): void {
  moveTo(world, rules, action);
  voidNamed(world, rules.overtaken);
  post(world, rules, rules.commandOf(action, world.desired));
}

/** sendAgentCommand. */
export function send(world: World, rules: Rules): void {
  post(world, rules, 'work');
}

/** registerAgent by a new process of the same agent. */
export function register(world: World, rules: Rules): void {
  world.incarnation += 1;
  world.reported = AgentState.REGISTERED;
  voidNamed(world, ['restart']);
  for (const command of waiting(world)) command.fence = rules.fenceOf(world.incarnation, command.n);
  world.processes.push(newProcess(world.incarnation));
}

/** What a process's beat says is written down; it is answered with what is asked and what waits. */
export function takeBeat(world: World, rules: Rules, process: Process): void {
  world.reported = process.says as AgentState;
  world.offline = false;
  process.says = '';
  process.answer = answerOf(world, rules.isNewest(process.incarnation, world.incarnation));
}

function answerOf(world: World, isNewest: boolean): Answer {
  const commands = isNewest ? waiting(world).map(deliveredOf) : [];
  return { desired: world.desired, commands, upTo: world.mail.length };
}

export function deliveredOf({ n, name, fence }: Command): Delivered {
  return { n, name, fence };
}

/** completeCommand. @returns whether it was acknowledged as done, or refused for good */
export function complete(
  world: World,
  rules: Rules,
  { n, fence, outcome }: Process['tells'][number],
): string | undefined {
  const command = world.mail[n - 1] as Command;
  const key = rules.keyOfEnd(n, fence);
  const before = world.keys.find((each) => each.split('|')[0] === key);
  // The first outcome once more, or a refusal of the key: either way nothing is changed.
  if (before) return undefined;
  world.keys.push(`${key}|${fence}`);
  const completedAt = command.ended ? new Date(0) : null;
  const open = { fence: command.fence, completedAt, outcome: null, expiresAt: null };
  if (rules.completionRefusal(open, fence, 0)) return undefined;
  const wasEnded = command.ended;
  command.ended = CommandOutcome[outcome];
  if (wasEnded) return `command ${n} ended twice`;
  if (!world.done.includes(`${n}@${fence}`)) return `command ${n} ended as ${fence}, which nobody did`;
  return fence === command.fence ? undefined : `command ${n} was ended by a process that it was taken from`;
}

/** What the recovery policy says of it now. */
export function recovery(world: World, rules: Rules): 'restart' | 'quarantine' | undefined {
  const decision = rules.recoveryOf(
    {
      state: rules.observedState(world.desired, world.reported),
      desired: world.desired,
      presence: world.offline ? AgentPresence.OFFLINE : AgentPresence.ONLINE,
      criticalBeats: 0,
      degradedBeats: 0,
      acuteBeats: 0,
      unwellNeed: undefined,
      restartPending: waiting(world).some(({ name }) => name === 'restart'),
      attempts: Array.from({ length: world.attempts }, () => ({ step: RecoveryAction.RESTART, atMs: 0 })),
      restartsAtMs: [],
      forgivenMs: -1,
      spentShare: 0,
      provenConfig: undefined,
      cause: undefined,
    },
    rules.policy,
    1,
    0,
  );
  if (decision.outcome !== 'step') return undefined;
  return decision.action === RecoveryAction.QUARANTINE ? 'quarantine' : 'restart';
}

/** The healer's step: what it asks is put into the mailbox; it overtakes nothing. */
export function heal(world: World, rules: Rules, step: 'restart' | 'quarantine'): void {
  moveTo(world, rules, step);
  if (step === 'restart') world.attempts += 1;
  post(world, rules, rules.commandOf(step, world.desired), step === 'restart' && !world.offline);
}
