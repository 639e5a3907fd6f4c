import type { Command } from 'commander';
import type { UserError } from '../../sdk/index.ts';
import { settled } from '../client.ts';
import { contextOf, type Surface } from '../context.ts';
import { readJsonFile } from '../json-file.ts';
import { ago } from '../output/printer.ts';

const VERSIONS = `query Versions($kind: String!) {
  agentVersions(kind: $kind) { version migratesFrom notes publishedAt publishedBy { name } operations { kind path } } }`;
const PUBLISH = `mutation PublishVersion($input: PublishAgentVersionInput!) { publishAgentVersion(input: $input) {
  agentVersion { id kind version } changes { op path value } userErrors { code message field } } }`;

interface Version {
  version: string;
  migratesFrom: string | null;
  notes: string | null;
  publishedAt: string;
  publishedBy: { name: string };
  operations: { kind: string; path: string }[];
}

interface Published {
  agentVersion: { kind: string; version: string } | null;
  changes: unknown[];
  userErrors: UserError[];
}

export function addVersions(program: Command, surface: Surface): void {
  const versions = program.command('versions').description('The versions of a kind of agents, newest first.');
  const list = versions.command('list', { isDefault: true }).argument('<kind>', 'the kind of agents');
  list.description('The versions of a kind of agents, newest first.');
  list.action(async (kind: string) => {
    const { client, printer, nowMs } = contextOf(list, surface);
    const { agentVersions } = await client.query<{ agentVersions: Version[] | null }>(VERSIONS, { kind });
    printer.answer(agentVersions, () =>
      printer.table<Version>(
        [
          { title: 'VERSION', text: ({ version }) => version },
          { title: 'FROM', text: ({ migratesFrom }) => migratesFrom ?? '-' },
          {
            title: 'MIGRATIONS',
            text: ({ operations }) => operations.map(({ kind: what, path }) => `${what} ${path}`).join(', ') || '-',
          },
          { title: 'PUBLISHED', text: ({ publishedAt }) => ago(publishedAt, nowMs()), right: true },
          { title: 'BY', text: ({ publishedBy }) => publishedBy.name },
          { title: 'NOTES', text: ({ notes }) => notes ?? '-' },
        ],
        agentVersions ?? [],
      ),
    );
  });
  const publish = versions
    .command('publish')
    .argument('<file>', 'the version as JSON, as PublishAgentVersionInput has it');
  publish.description('Publishes a version; it stays as it is.').option('--dry-run', 'only tell what would be');
  publish.action(async (file: string, { dryRun }: { dryRun?: boolean }) => {
    const { client, printer } = contextOf(publish, surface);
    const input = { ...readJsonFile(file), ...(dryRun ? { dryRun } : {}) };
    const { publishAgentVersion } = await client.query<{ publishAgentVersion: Published | null }>(PUBLISH, { input });
    const { agentVersion, changes } = settled(publishAgentVersion);
    const done = dryRun ? 'would be published' : changes.length ? 'is published' : 'was published before';
    printer.answer({ agentVersion, changes }, () =>
      printer.line(`${agentVersion?.kind} ${agentVersion?.version} ${done}`),
    );
  });
}
