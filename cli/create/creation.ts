import path from 'node:path';
import { FleetFailure } from '../../sdk/index.ts';
import { clientFor, tokenIfAny } from '../client.ts';
import type { Surface } from '../context.ts';
import { CONDITIONS, LANGUAGES, SEVERITIES } from './choices.ts';
import { configOf, inset } from './configuration.ts';
import { checkName, checkVersion, refused } from './names.ts';
import { type Piece, pythonModule } from './pieces.ts';
import { agentOf, answersOf, planPieces, planUpdate } from './project.ts';
import { type Question, Questions } from './questions.ts';
import { type CommonOptions, carryOut } from './request.ts';

const KIND: Question = {
  flag: '--kind',
  text: 'What kind of agent is it?',
  standard: '',
  check: (kind) => checkName('a kind', kind),
};
const LANGUAGE: Question = { flag: '--lang', text: 'Which language?', standard: 'ts', choices: LANGUAGES };
const CONDITION: Question = { flag: '--on', text: 'What is watched?', standard: 'health', choices: CONDITIONS };
const SEVERITY: Question = { flag: '--severity', text: 'How urgent is it?', standard: 'WARNING', choices: SEVERITIES };

/** A project with an agent in it; one that is there is merged with what the templates say today. */
export async function createAgent(
  name: string,
  options: CommonOptions & { kind?: string; lang?: string },
  surface: Surface,
): Promise<void> {
  checkName('a name', name);
  const dir = options.dir ?? name;
  const folder = path.resolve(dir);
  const known = agentOf(folder);
  const { kind, lang } = await asking(options, surface, async (questions) => ({
    kind: await questions.answer(options.kind ?? known?.['kind'], { ...KIND, standard: name }),
    lang: await questions.answer(options.lang ?? known?.['lang'], LANGUAGE),
  }));
  if (known && (known['name'] !== name || known['lang'] !== lang))
    throw new FleetFailure('CONFLICT', `${folder} has the agent ${known['name']} in ${known['lang']} already`);
  const plan = planPieces(folder, [{ what: 'agent', answers: { name, kind, lang } }]);
  const enter = dir === '.' ? '' : `cd ${dir} && `;
  const run =
    lang === 'ts' ? 'npm ci && npm test && npm run dev' : `python3 -m unittest && python3 -m ${pythonModule(name)}`;
  await carryOut(plan, options, surface, { next: known ? [] : [enter + run], tellsPlatform: true });
}

/** Another kind in an agent’s project, with its test and its first version. */
export async function createKind(kind: string, options: CommonOptions, surface: Surface): Promise<void> {
  checkName('a kind', kind);
  const folder = path.resolve(options.dir ?? '.');
  const agent = agentOf(folder);
  if (!agent) throw new FleetFailure('NOT_FOUND', `${folder} is no agent’s project: fleet create agent makes one`);
  const { name = '', lang = '' } = agent;
  if (agent['kind'] === kind) throw new FleetFailure('CONFLICT', `${kind} is the kind of ${name} itself`);
  const next =
    lang === 'ts' ? 'add it to the kinds of createFactory in src/main.ts' : 'create agents of it in __main__.py';
  await carryOut(planPieces(folder, [{ what: 'kind', answers: { name, kind, lang } }]), options, surface, {
    next: [next],
  });
}

/** The next version of a kind’s configuration, made from the one before. @param of an agent of the project, or a kind */
export async function createMigration(
  of: string,
  options: CommonOptions & { from: string; to: string },
  surface: Surface,
): Promise<void> {
  const folder = path.resolve(options.dir ?? '.');
  const agent = agentOf(folder);
  const kind = checkName('a kind', agent?.['name'] === of ? (agent['kind'] as string) : of);
  const [from, to] = [checkVersion('--from', options.from), checkVersion('--to', options.to)];
  if (from === to) throw refused(`--to is ${to} as --from is: a version is published once`);
  const client = tokenIfAny(surface.root) ? clientFor(options.url, surface.root) : undefined;
  const answers = answersOf(folder, `migration ${kind} ${to}`) ?? {
    ...{ kind, from, to },
    ...(await configOf(folder, kind, from, client).then(({ configSchema, defaults }) => ({
      configSchema: inset(configSchema),
      defaults: inset(defaults),
    }))),
  };
  if (answers['from'] !== from)
    throw new FleetFailure('CONFLICT', `the migration to ${to} is from ${answers['from']} already`);
  const file = `versions/${kind}-${to}.json`;
  const next = [`write what changes into ${file}`, `fleet versions publish ${file} --dry-run`];
  const piece = { what: 'migration', answers } as Piece;
  await carryOut(planPieces(folder, [piece]), options, surface, { next, look: { file, what: 'migration' } });
}

/** A rule that raises alerts about a kind of agents. */
export async function createRule(
  name: string,
  options: CommonOptions & { kind?: string; on?: string; severity?: string },
  surface: Surface,
): Promise<void> {
  checkName('a rule', name);
  const folder = path.resolve(options.dir ?? '.');
  const known = answersOf(folder, `rule ${name}`);
  const standard = agentOf(folder)?.['kind'] ?? name;
  const answers = await asking(options, surface, async (questions) => ({
    name,
    kind: await questions.answer(options.kind ?? known?.['kind'], { ...KIND, standard }),
    on: await questions.answer(options.on ?? known?.['on'], CONDITION),
    severity: await questions.answer(options.severity?.toUpperCase() ?? known?.['severity'], SEVERITY),
  }));
  const file = `rules/${name}.json`;
  const next = [`fleet alerts apply ${file}`];
  await carryOut(planPieces(folder, [{ what: 'rule', answers }]), options, surface, {
    next,
    look: { file, what: 'rule' },
  });
}

/** All that was ever made in a project, as the templates say today. */
export function updateProject(options: CommonOptions, surface: Surface): Promise<void> {
  return carryOut(planUpdate(path.resolve(options.dir ?? '.')), options, surface);
}

async function asking<Answers>(
  { yes = false }: CommonOptions,
  surface: Surface,
  ask: (questions: Questions) => Promise<Answers>,
): Promise<Answers> {
  const questions = new Questions(surface, yes);
  try {
    return await ask(questions);
  } finally {
    questions.close();
  }
}
