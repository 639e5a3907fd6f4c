import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { FleetFailure, machine } from '../../sdk/index.ts';
import { addressOf, dataFolder, devEnvironment, givenUrl } from '../client.ts';
import { listed, type Surface } from '../context.ts';
import { type AgentProgram, programOf, programsBy } from '../dev/program.ts';
import { blockOf, EMPTY, fold, linesOf } from '../dev/screen.ts';
import { Session } from '../dev/session.ts';
import type { Tell } from '../dev/told.ts';
import { globOf } from '../dev/watched.ts';
import { Footer } from '../output/footer.ts';

interface Options {
  port?: string;
  demo: boolean;
  split: boolean;
  agents?: string;
  ignore: RegExp[];
  grace: string;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** @param behind the words behind `--` */
export function addDev(program: Command, surface: Surface, behind: readonly string[]): void {
  const command = program
    .command('dev')
    .description(
      'Runs a platform with samples and an agent’s program, starts it anew when its source changes, shows the last request.',
    )
    .argument('[folders...]', 'projects of agents; the present folder unless given; behind -- the program to run')
    .option('--port <port>', 'the platform’s port', portOf)
    .option('--no-demo', 'leave the demo fleet and the samples out')
    .option('--split', 'a process for each subgraph', false)
    .option('--agents <glob>', 'files that are a program each, instead of what package.json or pyproject.toml says')
    .option('--ignore <glob>', 'files whose change means nothing; again for more', ignoredBy, [])
    .option('--grace <seconds>', 'how long a program may take to end when told to', '5');
  command.action(async (words: string[], options: Options) => {
    const { url, json = false } = command.optsWithGlobals<{ url?: string; json?: boolean }>();
    const { folders, own } = split(words, behind, surface);
    const given = givenUrl(url);
    const { root } = surface;
    const session = new Session({
      root,
      data: dataFolder(root),
      folders,
      programs: programsOf(folders, own, options.agents),
      url: given,
      words: [...(options.demo ? [] : ['--no-demo']), ...(options.split ? ['--split'] : [])],
      isSeeded: options.demo && !given,
      ignored: options.ignore,
      graceMs: Number(options.grace) * 1_000,
      platformEnv: devEnvironment(root, options.port),
      programEnv: (address) => devEnvironment(root, undefined, addressOf(address, root)),
      token: () => addressOf(given, root).token,
      surroundings: machine(),
      tell: teller(surface, json),
    });
    await until(session);
  });
}

/** Runs it; signals end it in order, whoever else in the terminal they reach. */
async function until(session: Session): Promise<void> {
  const close = () => session.close();
  for (const signal of SIGNALS) process.on(signal, close);
  try {
    await session.run();
  } finally {
    for (const signal of SIGNALS) process.off(signal, close);
  }
}

/** Folders, and the words behind `--`, which the parser gives as one list. */
function split(words: readonly string[], own: readonly string[], { cwd }: Surface) {
  const named = words.slice(0, words.length - own.length);
  const folders = (named.length ? named : ['.']).map((folder) => path.resolve(cwd, folder));
  const absent = folders.find((folder) => !existsSync(folder));
  if (absent) throw new FleetFailure('NOT_FOUND', `there is no folder ${absent}`);
  if (own.length && folders.length > 1) throw new FleetFailure('BAD_INPUT', 'a program behind -- runs in one folder');
  return { folders, own };
}

function programsOf(folders: readonly string[], own: readonly string[], glob: string | undefined): AgentProgram[] {
  const [first = ''] = folders;
  if (own.length) return [{ name: path.basename(own[0] as string), words: own, folder: first }];
  const found = folders.flatMap((folder) => (glob ? programsBy(glob, folder) : (programOf(folder) ?? [])));
  if (glob && !found.length) throw new FleetFailure('NOT_FOUND', `no file matches ${glob}`);
  return found;
}

/** A block beneath the lines on a terminal; lines elsewhere; objects for scripts. */
function teller({ out }: Surface, json: boolean): Tell {
  if (json) return (told) => void out.write(`${JSON.stringify(told)}\n`);
  if (!out.isTTY)
    return (told) =>
      void out.write(
        linesOf(told)
          .map((line) => `${line}\n`)
          .join(''),
      );
  let scene = EMPTY;
  const footer = new Footer(out, (width) => blockOf(scene, width));
  return (told) => {
    scene = fold(scene, told);
    // What the block shows needs no line; how a request went is looked at, not scrolled by.
    const isShown = told.event === 'request' || told.event === 'houses';
    footer.write(isShown ? [] : linesOf(told));
    if (told.event === 'stopped') footer.clear();
  };
}

function portOf(value: string): string {
  const port = Number(value);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('a port is 0 to 65535');
  return value;
}

function ignoredBy(value: string, before: RegExp[]): RegExp[] {
  return [...before, ...listed(value).map(globOf)];
}
