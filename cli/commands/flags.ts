import { type Command, InvalidArgumentError } from 'commander';
import type { UserError } from '../../sdk/index.ts';
import { settled } from '../client.ts';
import { contextOf, listed, type Surface } from '../context.ts';

const SHOWN = 'name description owner since isOnByDefault state percentage clients isHeld version updatedAt';
const LIST = `query FeatureFlags { featureFlags { ${SHOWN} } }`;
const APPLY = `mutation ApplyFeatureFlag($input: ApplyFeatureFlagInput!) {
  applyFeatureFlag(input: $input) { flag { ${SHOWN} } userErrors { code message field } }
}`;

interface FlagRow {
  name: string;
  description: string;
  isOnByDefault: boolean;
  state: 'ON' | 'OFF' | 'PARTIAL';
  percentage: number | null;
  clients: string[];
  isHeld: boolean;
}

interface SetOptions {
  clients?: string[];
  reason?: string;
  dryRun?: boolean;
}

export function addFlags(program: Command, surface: Surface): void {
  const flags = program.command('flags').description('Features that can be turned off, and for whom they are on.');
  flags.action(async () => {
    const { client, printer, missing } = contextOf(flags, surface);
    const { data, errors = [] } = await client.ask<{ featureFlags: FlagRow[] | null }>(LIST);
    missing(errors);
    const rows = data?.featureFlags ?? [];
    printer.answer(rows, () =>
      printer.table<FlagRow>(
        [
          { title: 'FLAG', text: ({ name }) => name },
          { title: 'STATE', text: stateText },
          { title: 'DEFAULT', text: ({ isOnByDefault }) => (isOnByDefault ? 'on' : 'off') },
          { title: 'WHAT', text: ({ description }) => description },
        ],
        rows,
      ),
    );
  });
  const set = flags
    .command('set')
    .description('Turns a feature on or off, or on for some; audited, in effect within a second.')
    .argument('<name>', 'the flag')
    .argument('<state>', 'on, off, or a share of the callers such as 25%', wantedOf)
    .option('--clients <ids>', 'on for these callers too', listed)
    .option('--reason <text>', 'why; it is written into the audit trail')
    .option('--dry-run', 'only tell what would be');
  set.action(async (name: string, wanted: Wanted, { clients, reason, dryRun }: SetOptions) => {
    const { client, printer } = contextOf(set, surface);
    const input = { name, ...wanted, clients, reason, dryRun };
    const { applyFeatureFlag } = await client.query<{
      applyFeatureFlag: { flag: FlagRow | null; userErrors: UserError[] } | null;
    }>(APPLY, { input });
    const { flag } = settled(applyFeatureFlag);
    printer.answer(flag, () => printer.line(`${name} is ${flag && stateText(flag)}`));
  });
}

interface Wanted {
  state: FlagRow['state'];
  percentage?: number;
}

function wantedOf(text: string): Wanted {
  if (text === 'on' || text === 'off') return { state: text === 'on' ? 'ON' : 'OFF' };
  const [, share] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
  if (share === undefined || Number(share) > 100) throw new InvalidArgumentError('on, off, or 0% to 100%');
  return { state: 'PARTIAL', percentage: Number(share) };
}

function stateText({ state, percentage, clients, isHeld }: FlagRow): string {
  if (isHeld) return `${state.toLowerCase()} (held)`;
  if (state !== 'PARTIAL') return state.toLowerCase();
  const share = percentage ? [`${percentage}%`] : [];
  return [...share, ...(clients.length ? [`${clients.length} named`] : [])].join(' + ');
}
