import { hostname } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { type Agent, connect } from '../../sdk/index.ts';
import { addressOf, environment } from '../client.ts';
import { listed, type Surface } from '../context.ts';
import { readLine } from '../wrap/program-line.ts';
import { type Ending, WrappedProgram } from '../wrap/wrapped-program.ts';

interface Options {
  name?: string;
  kind: string;
  programVersion: string;
  label: string[];
  stay: boolean;
  grace: string;
}

/** What whoever started us may send, and the program should get. */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
const NOT_STARTED = 127;

export function addRun(program: Command, surface: Surface): void {
  const command = program
    .command('run')
    .description(
      'Runs any program as an agent: its lines are logs, it is paused, restarted and stopped by the platform.',
    )
    .argument('<command...>', 'the program and its arguments, behind --')
    .option('--name <name>', 'the agent’s name; the program’s and this machine’s unless given')
    .option('--kind <kind>', 'the agent’s kind', 'program')
    .option('--program-version <version>', 'the version of the program', '0.0.0')
    .option('--label <name=value>', 'a label of the agent; again for more', listed, [])
    .option('--grace <seconds>', 'how long it may take to end when told to', '10')
    .option('--stay', 'when it fails, wait for the platform to restart it rather than end with its exit code', false);
  command.action(async (words: string[], options: Options) => {
    const { url } = command.optsWithGlobals<{ url?: string }>();
    const agent = await connect({
      ...addressOf(url, surface.root),
      name: options.name ?? `${path.basename(words[0] as string)}-${hostname()}`,
      kind: options.kind,
      version: options.programVersion,
      labels: Object.fromEntries(options.label.map((label) => label.split(/=(.*)/s).slice(0, 2))),
    });
    surface.exit(await runAs(agent, words, options, surface));
  });
}

/** Runs the program as this agent. @returns the exit code to end with */
async function runAs(agent: Agent, words: string[], { stay, grace }: Options, surface: Surface): Promise<number> {
  let code = 0;
  let isEnding = false;
  const over = new AbortController();
  const ended = new Promise<void>((resolve) => over.signal.addEventListener('abort', () => resolve()));
  const wrapped = new WrappedProgram({
    words,
    env: { ...environment(surface.root), FLEET_AGENT_ID: agent.id },
    graceMs: Number(grace) * 1_000,
    onText: (text, isError) => void (isError ? surface.err : surface.out).write(text),
    onLine: (line, isError) => {
      const { level, body, attributes } = readLine(line, isError);
      agent.log[level](body, { ...attributes, 'log.iostream': isError ? 'stderr' : 'stdout' });
    },
    onEnd: (ending) => {
      code = ending.code;
      agent.event('program.ended', { code, signal: ending.signal, wasAsked: ending.wasAsked });
      if (ending.wasAsked) return;
      isEnding = !(code && stay);
      void told(agent, ending).then(() => isEnding && over.abort());
    },
  });
  agent.on('start', async () => {
    // The platform restarts what failed, sooner than we are gone: what ends with its code does not run again.
    if (isEnding) throw new Error('the program has ended');
    try {
      await wrapped.start();
    } catch (error) {
      code = NOT_STARTED;
      if (!stay) over.abort();
      throw error;
    }
  });
  agent.on('pause', () => wrapped.signal('SIGSTOP'));
  agent.on('resume', () => wrapped.signal('SIGCONT'));
  agent.on('stop', () => wrapped.stop());
  // Its life is over: nobody will start it again.
  agent.hook('afterStop', () => {
    if (agent.state === 'RETIRED') over.abort();
  });
  const forget = forward(wrapped, over);
  await ended;
  forget();
  await wrapped.stop();
  await agent.close();
  return code;
}

/** What the program's end makes of the agent: done, or failed with the code. */
async function told(agent: Agent, { code, signal }: Ending): Promise<void> {
  if (code) await agent.fail(new Error(`the program ended with ${signal ?? code}`));
}

/** Passes our signals on. A program that ends by one ends us too; without a program they end us. @returns undoes it */
function forward(wrapped: WrappedProgram, over: AbortController): () => void {
  const listeners = FORWARDED.map((signal) => {
    const listener = () => (wrapped.pid === undefined ? over.abort() : wrapped.signal(signal));
    process.on(signal, listener);
    return { signal, listener };
  });
  return () => {
    for (const { signal, listener } of listeners) process.removeListener(signal, listener);
  };
}
