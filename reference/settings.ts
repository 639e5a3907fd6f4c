import { FLAGS } from '../lib/flags/index.ts';
import { describeSettings } from '../lib/settings/index.ts';

const FLAGS_PAGE = `# Feature flags

Each risky feature can be turned off, or on for some callers, while everything runs. The file that \`FLEET_FLAGS_FILE\` names
(\`flags.json\` in the data folder unless given) is read by every process and watched: a change is in effect within a second.
It is written whole and renamed into place, so nobody reads half of it.

\`\`\`json
{ "flags": { "router.dedup": { "defaultVariant": "off", "percentage": 25, "clients": ["key-of-ci"] } } }
\`\`\`

| word | meaning |
|---|---|
| \`state\` | \`DISABLED\`: the rule counts as absent, and the default of the table below holds. \`ENABLED\` unless given |
| \`defaultVariant\` | \`on\`: for all. \`off\`, unless given: for those below only |
| \`percentage\` | share of callers it is on for, 0 to 100; the same callers in every process, and more of them when it grows |
| \`clients\` | ids of callers it is on for, at most 1,000 |

What is done for no caller in particular has a feature only when it is on for all. A file that is no JSON, or names a flag that
is not listed here, stops a start; in a process that runs it changes nothing and is logged as \`flags.refused\`.
\`FLEET_FLAGS=all-on\` and \`all-off\` hold every flag, whatever the file says: to find a culprit, and for whole test runs.
They are seen and changed by \`npx fleet flags\` and by \`featureFlags\` and \`applyFeatureFlag\` in the graph: a change is
written into the audit trail before it takes effect, and refused while the trail cannot be written. Where nobody
knows whether the trail has it, it is finished once the trail answers. An edit of the file by hand is
written into it as \`router.flag.edited\`, once it is in effect; one made while nothing ran, as \`configuration.changed\` at the next start.
Code that speaks OpenFeature is told the same: lib/flags/provider.ts is a provider, its targeting key the caller's id.

| flag | default | what is on while it is on | where | since |
|---|---|---|---|---|`;

/** Pages of what can be set: the settings, an example of them, and the flags. */
export function settingPages(): Record<string, string> {
  const settings = describeSettings();
  const rows = settings.map(
    ({ name, meaning, standard }) => `| \`${name}\` | ${standard ? `\`${standard}\`` : ''} | ${meaning} |`,
  );
  const examples = settings.map(({ name, meaning, standard }) => `# ${meaning}\n# ${name}=${standard}\n`);
  const flags = Object.entries(FLAGS).map(
    ([name, { description, isOnByDefault, owner, since }]) =>
      `| \`${name}\` | ${isOnByDefault ? 'on' : 'off'} | ${description} | ${owner} | ${since} |`,
  );
  return {
    'docs/flags.md': `${FLAGS_PAGE}\n${flags.join('\n')}\n`,
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
