import { AgentState } from '../../../subgraphs/agents/entity/enums.ts';

/** A command in the mailbox. */
export interface Command {
  n: number;
  name: string;
  fence: string;
  /** How it ended; '' while it waits. */
  ended: '' | 'DONE' | 'FAILED' | 'EXPIRED';
  /** Whether time may end it. */
  expires: boolean;
}

/** A command on its way to a process, as it was when it was sent. */
export interface Delivered {
  n: number;
  name: string;
  fence: string;
}

/** An answer to a beat. */
export interface Answer {
  desired: AgentState;
  commands: Delivered[];
  /** How many commands there were when it was given: the platform's last word by then. */
  upTo: number;
}

/** A process that is the agent, or was and does not know that another took its place. */
export interface Process {
  incarnation: number;
  state: AgentState;
  desired: AgentState;
  failed: boolean;
  /** Commands it took, each with the fence under which it was told last. */
  seen: Delivered[];
  /** The last word that it heard. */
  upTo: number;
  /** Ends of commands that the platform has not acknowledged. */
  tells: (Delivered & { outcome: 'DONE' | 'FAILED' })[];
  /** What the stream has sent and it has not received. */
  stream: Delivered[];
  /** Number of the last command that was sent by the stream. */
  cursor: number;
  /** The beat under way: what it says, and then what it is answered. */
  says: AgentState | '';
  answer: Answer | undefined;
}

/** The platform's rows, the agent's processes, and how much may still happen. */
export interface World {
  desired: AgentState;
  held: AgentState | null;
  reported: AgentState;
  offline: boolean;
  incarnation: number;
  attempts: number;
  mail: Command[];
  /** `number@fence` of what was done, each as often as it was done. */
  done: string[];
  /** Idempotency keys of ends that were told: key → the fence it came with. */
  keys: string[];
  processes: Process[];
  left: Budget;
}

/** How often what may happen can still happen. */
export interface Budget {
  asks: number;
  sends: number;
  crashes: number;
  starts: number;
  losses: number;
  silences: number;
  failures: number;
}

export function firstWorld(left: Budget): World {
  return {
    desired: AgentState.RUNNING,
    held: null,
    reported: AgentState.REGISTERED,
    offline: false,
    incarnation: 1,
    attempts: 0,
    mail: [],
    done: [],
    keys: [],
    processes: [newProcess(1)],
    left,
  };
}

export function newProcess(incarnation: number): Process {
  return {
    incarnation,
    state: AgentState.REGISTERED,
    desired: AgentState.REGISTERED,
    failed: false,
    seen: [],
    upTo: -1,
    tells: [],
    stream: [],
    cursor: 0,
    says: '',
    answer: undefined,
  };
}

/** A copy that may be changed. */
export function copyOf(world: World): World {
  return {
    ...world,
    mail: world.mail.map((command) => ({ ...command })),
    done: [...world.done],
    keys: [...world.keys],
    processes: world.processes.map((process) => ({
      ...process,
      seen: [...process.seen],
      tells: [...process.tells],
      stream: [...process.stream],
    })),
    left: { ...world.left },
  };
}

const STATES = Object.values(AgentState) as string[];
const letter = (state: string | null) => (state ? STATES.indexOf(state) : '-');
const delivered = ({ n, fence }: Delivered) => `${n}@${fence}`;

/** A text that is the same for the same world, and only for it: the order in which things were noted does not count. */
export function keyOf(world: World): string {
  const { left } = world;
  const mail = world.mail.map(({ n, name, fence, ended, expires }) => `${n}${name}${fence}${ended}${expires ? 1 : 0}`);
  const processes = world.processes.map((each) =>
    [
      `${each.incarnation}${letter(each.state)}${letter(each.desired)}${each.failed ? 1 : 0}${letter(each.says)}`,
      each.seen.map(delivered).sort().join('+'),
      each.upTo,
      each.tells.map((tell) => delivered(tell) + tell.outcome[0]).join('+'),
      each.stream.map(delivered).join('+'),
      each.cursor,
      each.answer
        ? `${letter(each.answer.desired)}${each.answer.upTo}=${each.answer.commands.map(delivered).join('+')}`
        : '',
    ].join(','),
  );
  return [
    `${letter(world.desired)}${letter(world.held)}${letter(world.reported)}${world.offline ? 1 : 0}`,
    `${world.incarnation}.${world.attempts}`,
    mail.join('+'),
    [...world.done].sort().join('+'),
    [...world.keys].sort().join('+'),
    processes.join('/'),
    `${left.asks}${left.sends}${left.crashes}${left.starts}${left.losses}${left.silences}${left.failures}`,
  ].join(';');
}
