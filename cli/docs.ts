import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describeSettings } from '../lib/settings/index.ts';
import { packageRoot } from './platform/surroundings.ts';

/** Documents made from code: path → text. */
export function documents(): Record<string, string> {
  const settings = describeSettings();
  const rows = settings.map(
    ({ name, meaning, standard }) => `| \`${name}\` | ${standard ? `\`${standard}\`` : ''} | ${meaning} |`,
  );
  const examples = settings.map(({ name, meaning, standard }) => `# ${meaning}\n# ${name}=${standard}\n`);
  return {
    'docs/settings.md': `# Settings

Read from the environment at start; made from the schema in lib/settings by \`npm run docs\`. A wrong value, or a \`FLEET_\` name
that is none of these, stops the start with one line and exit code 78. An empty value counts as absent.

| name | default | meaning |
|---|---|---|
${rows.join('\n')}
`,
    '.env.example': `# Settings of fleetgraph, all optional (docs/settings.md). Export what you need: no file is read by itself.\n\n${examples.join('\n')}`,
  };
}

/** Names of documents that are not what the code makes. */
export function staleDocuments(): string[] {
  return Object.entries(documents())
    .filter(([name, text]) => readFileSync(path.join(packageRoot(), name), 'utf8') !== text)
    .map(([name]) => name);
}

if (require.main === module) {
  for (const [name, text] of Object.entries(documents())) writeFileSync(path.join(packageRoot(), name), text);
}
