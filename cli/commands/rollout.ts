import type { Command } from 'commander';
import { FleetFailure, type UserError } from '../../sdk/index.ts';
import { settled } from '../client.ts';
import { type Context, contextOf, listed, type Surface } from '../context.ts';
import { rolloutPicture, type ShownRollout } from '../output/rollout.ts';

const SHOWN = `id kind version state stage reason looks
  stages { name agents waiting changing ready lost back gone } findings { metric outcome probability sentence }`;
const LIST = `query Rollouts($first: Int!) { rollouts(first: $first) { nodes { ${SHOWN} } } }`;
const ONE = `query OneRollout($id: ID!) { rollout(id: $id) { ${SHOWN} } }`;
const START = `mutation StartRollout($input: StartRolloutInput!) { startRollout(input: $input) { rollout { ${SHOWN} } userErrors { code message field } } }`;
const CHANGES = `subscription RolloutChanges($id: ID!) { rolloutChanged(id: $id) { cursor occurredAt node { ${SHOWN} } } }`;
const ENDED = ['SUCCEEDED', 'REVERTED', 'ABORTED'];

interface Payload {
  rollout: ShownRollout | null;
  userErrors: UserError[];
}

interface StartOptions {
  label?: string[];
  canary?: string;
  waves?: string[];
  bake?: string;
  baseline?: string;
  at?: string;
  sensitivity?: string;
  reason?: string;
  dryRun?: boolean;
}

export function addRollout(program: Command, surface: Surface): void {
  const rollout = program.command('rollout').description('Versions on their way into the fleet.');
  addStart(rollout, surface);
  const status = rollout.command('status').argument('[id]', 'the rollout; the last ones unless given');
  status.description('Where a rollout is, with its waves and its gate.');
  status.action((id: string | undefined) => show(contextOf(status, surface), id));
  const watch = rollout
    .command('watch')
    .argument('<id>', 'the rollout')
    .description('A rollout as it goes, until it ends.');
  watch.action((id: string) => follow(contextOf(watch, surface), id));
  for (const [verb, what] of [
    ['pause', 'Holds a rollout; harm takes it back all the same.'],
    ['resume', 'Lets a paused rollout go on.'],
    ['abort', 'Ends a rollout: those that have the version go back.'],
  ] as const) {
    const command = rollout.command(verb).argument('<id>', 'the rollout').description(what);
    command.option('--reason <text>', 'why, for the audit trail');
    if (verb === 'resume') command.option('--promote', 'the stage is good enough, whatever the evidence lacks');
    command.action((id: string, options: { reason?: string; promote?: boolean }) =>
      act(contextOf(command, surface), verb, { id, ...options }),
    );
  }
}

function addStart(rollout: Command, surface: Surface): void {
  const start = rollout
    .command('start')
    .description('Takes a published version into the fleet: a canary first, then waves.')
    .argument('<kind>', 'the kind of agents')
    .argument('<version>', 'a published version')
    .option('--label <name=value>', 'only agents with this label; may be repeated', listed)
    .option('--canary <percent>', 'share of the canary, at most 5')
    .option('--waves <percents>', 'shares after each wave, e.g. 25,50,100', listed)
    .option('--baseline <duration>', 'how long all are watched first, e.g. PT5M')
    .option('--bake <duration>', 'how long each stage is watched at least')
    .option('--at <time>', 'when it begins, RFC 3339')
    .option('--sensitivity <factor>', '1 to 10: lets so much larger differences pass')
    .option('--reason <text>', 'why, for the audit trail')
    .option('--dry-run', 'only tell what would be');
  start.action(async (kind: string, version: string, options: StartOptions) => {
    const { client, printer } = contextOf(start, surface);
    const { label, canary, waves, at, sensitivity, ...rest } = options;
    const labels = label?.map((each) => ({
      name: each.split('=')[0] as string,
      value: each.split('=').slice(1).join('='),
    }));
    const input = {
      ...{ kind, version, labels, waves: waves?.map(Number), startAt: at, ...rest },
      ...(canary === undefined ? {} : { canaryPercent: Number(canary) }),
      ...(sensitivity === undefined ? {} : { sensitivity: Number(sensitivity) }),
    };
    const { startRollout } = await client.query<{ startRollout: Payload | null }>(START, { input });
    const { rollout: begun } = settled(startRollout);
    printer.answer(begun, () => begun && printer.line(rolloutPicture(begun)));
  });
}

async function show({ client, printer }: Context, id: string | undefined): Promise<void> {
  if (id !== undefined) {
    const { rollout } = await client.query<{ rollout: ShownRollout | null }>(ONE, { id });
    if (!rollout) throw new FleetFailure('NOT_FOUND', 'there is no such rollout');
    printer.answer(rollout, () => printer.line(rolloutPicture(rollout)));
    return;
  }
  const { rollouts } = await client.query<{ rollouts: { nodes: ShownRollout[] } | null }>(LIST, { first: 5 });
  const nodes = rollouts?.nodes ?? [];
  printer.answer(nodes, () => printer.line(nodes.map(rolloutPicture).join('\n\n') || 'no rollouts yet'));
}

/** Ends with the rollout; one that was taken back is a refusal for scripts. */
async function follow({ client, printer, signal }: Context, id: string): Promise<void> {
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  const changes = client.subscribe<{ rolloutChanged: { node: ShownRollout } | null }>(
    CHANGES,
    { id },
    { signal: either },
  );
  const { rollout } = await client.query<{ rollout: ShownRollout | null }>(ONE, { id });
  if (!rollout) throw new FleetFailure('NOT_FOUND', 'there is no such rollout');
  let last = rollout;
  const tell = (now: ShownRollout) => {
    last = now;
    printer.item(now, () => `${rolloutPicture(now)}\n`);
  };
  tell(rollout);
  if (!ENDED.includes(last.state)) {
    for await (const { data } of changes) {
      if (data?.rolloutChanged) tell(data.rolloutChanged.node);
      if (ENDED.includes(last.state)) break;
    }
  }
  ended.abort();
  if (last.state === 'REVERTED') throw new FleetFailure('CONFLICT', last.reason);
}

async function act({ client, printer }: Context, verb: string, input: object): Promise<void> {
  const field = `${verb}Rollout`;
  const document = `mutation ActOnRollout($input: RolloutActionInput!) { ${field}(input: $input) { rollout { ${SHOWN} } userErrors { code message field } } }`;
  const data = await client.query<Record<string, Payload | null>>(document, { input });
  const { rollout } = settled(data[field]);
  printer.answer(rollout, () => rollout && printer.line(rolloutPicture(rollout)));
}
