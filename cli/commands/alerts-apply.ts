import type { Command } from 'commander';
import type { UserError } from '../../sdk/index.ts';
import { settled } from '../client.ts';
import { contextOf, type Surface } from '../context.ts';
import { readJsonFile } from '../json-file.ts';

const APPLY = `mutation ApplyRule($input: AlertRuleInput!) { applyAlertRule(input: $input) {
  rule { id name version } changes { op path value } userErrors { code message field } } }`;

interface Applied {
  rule: { name: string; version: number } | null;
  changes: unknown[];
  userErrors: UserError[];
}

export function addAlertsApply(alerts: Command, surface: Surface): void {
  const apply = alerts
    .command('apply')
    .description('Makes a rule, or puts it in the place of the one of its name.')
    .argument('<file>', 'the rule as JSON, as AlertRuleInput has it')
    .option('--dry-run', 'only tell what would change');
  apply.action(async (file: string, { dryRun }: { dryRun?: boolean }) => {
    const { client, printer } = contextOf(apply, surface);
    const input = { ...readJsonFile(file), ...(dryRun ? { dryRun } : {}) };
    const { applyAlertRule } = await client.query<{ applyAlertRule: Applied | null }>(APPLY, { input });
    const { rule, changes } = settled(applyAlertRule);
    const done = dryRun ? 'would be applied' : changes.length ? 'is applied' : 'was so already';
    printer.answer({ rule, changes }, () => printer.line(`rule ${rule?.name} ${done}`));
  });
}
