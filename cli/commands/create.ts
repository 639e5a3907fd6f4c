import { type Command, Option } from 'commander';
import { FleetFailure } from '../../sdk/index.ts';
import type { Surface } from '../context.ts';
import { CONDITIONS, LANGUAGES } from '../create/choices.ts';
import type { CommonOptions } from '../create/request.ts';

export function addCreate(program: Command, surface: Surface): void {
  const create = program
    .command('create')
    .description('Writes an agent, a kind, a migration or a rule; written again, it is merged with what became of it.')
    .option('--update', 'write again all that was made in the folder')
    .option('--dir <folder>', 'the project’s folder, this one unless given');
  addPreviews(create).action(async (options: CommonOptions & { update?: boolean }) => {
    if (!options.update) throw new FleetFailure('BAD_INPUT', 'say what: agent, kind, migration or rule; or --update');
    return (await flow()).updateProject(create.optsWithGlobals(), surface);
  });
  const one = (name: string, argument: string, meaning: string, description: string) => {
    const command = create.command(name).description(description).argument(argument, meaning);
    command.option(
      '--dir <folder>',
      name === 'agent' ? 'where; the name unless given' : 'the project’s folder, this one unless given',
    );
    return addPreviews(command);
  };
  const agent = one('agent', '<name>', 'its name', 'A project with an agent, its tests, its image and its checks.')
    .option('--kind <kind>', 'the agent’s kind')
    .addOption(new Option('--lang <language>', 'its language').choices(LANGUAGES))
    .option('--yes', 'what is not said is as usual: the name as kind, ts');
  agent.action(async (name: string) => (await flow()).createAgent(name, agent.optsWithGlobals(), surface));
  const kind = one('kind', '<name>', 'the kind', 'Another kind in an agent’s project, with its test.');
  kind.action(async (name: string) => (await flow()).createKind(name, kind.optsWithGlobals(), surface));
  const migration = one(
    'migration',
    '<agent>',
    'an agent of the project, or a kind',
    'The next version of a kind’s configuration.',
  )
    .requiredOption('--from <version>', 'the version that it is made from')
    .requiredOption('--to <version>', 'the version that it becomes');
  migration.action(async (of: string) => (await flow()).createMigration(of, migration.optsWithGlobals(), surface));
  const rule = one('rule', '<name>', 'the rule’s name', 'A rule that raises alerts, for `alerts apply`.')
    .option('--kind <kind>', 'the kind of agents it is about')
    .addOption(new Option('--on <what>', 'what is watched').choices(CONDITIONS))
    .option('--severity <severity>', 'INFO, WARNING or CRITICAL')
    .option('--yes', 'what is not said is as usual: the project’s kind, health, WARNING');
  rule.action(async (name: string) => (await flow()).createRule(name, rule.optsWithGlobals(), surface));
}

/** Only who creates loads what it needs. */
const flow = () => import('../create/creation.ts');

function addPreviews(command: Command): Command {
  return command
    .option('--dry-run', 'only tell which files would change')
    .option('--diff', 'only show what would change in them');
}
