import { cut, plain } from '../output/table.ts';
import { waterfall } from '../output/waterfall.ts';
import type { Told } from './told.ts';

type Of<Event extends Told['event']> = Extract<Told, { event: Event }>;

/** What is known while an agent is written, folded from what was told. */
export interface Scene {
  platform: Of<'platform.ready'> | undefined;
  isAway: boolean;
  isStopping: boolean;
  houses: Of<'houses'>['houses'];
  /** By the program’s name: what it is doing. */
  programs: ReadonlyMap<string, string>;
  agents: ReadonlyMap<string, Of<'agent'>>;
  reload: string | undefined;
  trace: Of<'request'>['trace'] | undefined;
}

export const EMPTY: Scene = {
  platform: undefined,
  isAway: false,
  isStopping: false,
  houses: [],
  programs: new Map(),
  agents: new Map(),
  reload: undefined,
  trace: undefined,
};

const MOST_AGENTS = 4;
const MOST_SPANS = 10;

export function fold(scene: Scene, told: Told): Scene {
  switch (told.event) {
    case 'platform.ready':
      return { ...scene, platform: told, isAway: false };
    case 'platform.away':
    case 'platform.lost':
      return { ...scene, isAway: true };
    case 'platform.back':
      return { ...scene, isAway: false };
    case 'houses':
      return { ...scene, houses: told.houses };
    case 'program.started': {
      const reload = told.tookMs === null ? scene.reload : `${secondsOf(told.tookMs)} (${namesOf(told.files)})`;
      return { ...withProgram(scene, told.program, `runs, process ${told.pid}`), reload };
    }
    case 'program.broken':
      return withProgram(scene, told.program, `✗ ${told.reason}; waits for a change`);
    case 'program.ended':
      return withProgram(scene, told.program, 'has ended; waits for a change');
    case 'agent':
      return { ...scene, agents: new Map([...scene.agents, [told.name, told]]) };
    case 'compiled':
      return { ...scene, reload: `${secondsOf(told.tookMs)} (${namesOf(told.files)} → ${partsOf(told)})` };
    case 'compile.failed':
      return { ...scene, reload: `✗ ${namesOf(told.files)} does not compile` };
    case 'request':
      return { ...scene, trace: told.trace };
    case 'stopping':
      return { ...scene, isStopping: true };
    default:
      return scene;
  }
}

function withProgram(scene: Scene, name: string, doing: string): Scene {
  return { ...scene, programs: new Map([...scene.programs, [name, doing]]) };
}

/** The block that stands beneath the lines on a terminal. */
export function blockOf(scene: Scene, width: number): string[] {
  const { platform, houses, programs, agents, reload, trace, isAway, isStopping } = scene;
  const where = platform ? `${platform.url}${platform.isJoined ? ' (joined)' : ''}` : 'starting …';
  const here = [...agents.values()].filter(({ state }) => state !== 'RETIRED');
  const shown = here.slice(-MOST_AGENTS).map(({ name, state, presence, health }) => {
    return `${name} ${state}${presence === 'ONLINE' ? '' : `, ${presence}`} ${health}`;
  });
  const rows: [title: string, text: string][] = [
    ['platform', isStopping ? 'stopping …' : `${where}${isAway ? ', away' : ''}`],
    [
      'houses',
      houses
        .map(({ name, breaker, isHealthy }) => `${name} ${isHealthy && breaker === 'CLOSED' ? '✓' : '✗'}`)
        .join('  '),
    ],
    ...[...programs].map(([name, doing]): [string, string] => ['program', `${name} ${doing}`]),
    [
      'agents',
      [...shown, ...(here.length > shown.length ? [`and ${here.length - shown.length} more`] : [])].join('  '),
    ],
    ['reload', reload ?? ''],
  ];
  const block = rows.filter(([, text]) => text).map(([title, text]) => `${title.padEnd(9)} ${text}`);
  const request = trace ? waterfall(trace, { spans: MOST_SPANS }) : [];
  const drawn = request.map((line, at) => `${at ? ' ' : 'request'}`.padEnd(at ? 2 : 10) + line);
  const rule = '─'.repeat(Math.max(1, Math.min(width, 80)));
  return [rule, ...block, ...drawn, 'Ctrl-C    ends it'].map((line) => cut(plain(line), width));
}

/** What was told, as a line (or some) for people; undefined for what is only of interest to a block. */
export function linesOf(told: Told): string[] {
  switch (told.event) {
    case 'platform.starting':
      return ['platform  starts, or is joined where one runs …'];
    case 'platform.ready':
      return [`platform  ${told.url} ${told.isJoined ? 'joined' : `is ready after ${secondsOf(told.tookMs)}`}`];
    case 'platform.lost':
      return [`platform  has ended: ${told.reason}`];
    case 'platform.away':
      return [`platform  does not answer: ${told.reason}`];
    case 'platform.back':
      return ['platform  answers again'];
    case 'seeded':
      return [`seeds     ${told.what}`];
    case 'seeds.failed':
      return [`seeds     could not be made: ${told.reason}`];
    case 'no-program':
      return [
        `program   none in ${told.folder}: package.json has neither a script “agent” nor a “main”, pyproject.toml no package to run`,
      ];
    case 'watch.failed':
      return [`watch     not all of ${told.folder} is watched: ${told.reason}`];
    case 'program.started':
      return [
        `program   ${told.program} runs, process ${told.pid}${told.tookMs === null ? '' : `, ${secondsOf(told.tookMs)} after ${namesOf(told.files)} changed`}`,
      ];
    case 'program.broken':
      return [`program   ${told.program} ${told.reason}; it is started again when its source changes`];
    case 'program.ended':
      return [`program   ${told.program} has ended by itself; it is started again when its source changes`];
    case 'line':
      return [`${told.program} | ${told.text}`];
    case 'agent':
      return [`agent     ${told.name} ${told.state}, ${told.presence}, health ${told.health}`];
    case 'houses':
      return troubled(told.houses);
    case 'compile.failed':
      return [
        `compile   ${namesOf(told.files)} does not compile; what runs stays`,
        ...told.said.split('\n').slice(0, 20),
      ];
    case 'compiled':
      return [`compile   ${namesOf(told.files)}: ${partsOf(told)} after ${secondsOf(told.tookMs)}`];
    case 'by-hand':
      return [`compile   ${namesOf(told.files)} is of the supervisor or the command line: start fleet dev anew for it`];
    case 'request':
      return waterfall(told.trace, { spans: MOST_SPANS }).map(
        (line, at) => `${at ? '          ' : 'request   '}${line}`,
      );
    case 'stopping':
      return ['stopping  agents first, then the platform'];
    case 'stopped':
      return ['stopped'];
  }
}

function troubled(houses: Of<'houses'>['houses']): string[] {
  const away = houses.filter(({ isHealthy, breaker }) => !isHealthy || breaker !== 'CLOSED');
  if (!away.length) return ['houses    all answer'];
  return [`houses    ${away.map(({ name, breaker }) => `${name} does not answer (breaker ${breaker})`).join(', ')}`];
}

function partsOf({ restarted }: Of<'compiled'>): string {
  return restarted.length ? `${restarted.join(', ')} started anew` : 'nothing to start anew';
}

const MOST_NAMES = 3;

function namesOf(files: readonly string[]): string {
  const more = files.length - MOST_NAMES;
  return `${files.slice(0, MOST_NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function secondsOf(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
