import { existsSync } from 'node:fs';
import path from 'node:path';
import { type FleetClient, FleetFailure, type UserError } from '../../sdk/index.ts';
import { readJsonFile } from '../json-file.ts';

const VERSIONS =
  'query VersionSchemas($kind: String!) { agentVersions(kind: $kind) { version configSchema defaults } }';
const PUBLISH = `mutation CheckVersion($input: PublishAgentVersionInput!) {
  publishAgentVersion(input: $input) { userErrors { code message field } } }`;
const RULE = `mutation CheckRule($input: AlertRuleInput!) { applyAlertRule(input: $input) { userErrors { code message field } } }`;

/** What a version says of its configuration. */
export interface VersionConfig {
  configSchema: unknown;
  defaults: unknown;
}

/**
 * A version’s configuration: from the project, else from the platform.
 * @param client undefined where there is no token
 * @throws NOT_FOUND where neither has it
 */
export async function configOf(
  folder: string,
  kind: string,
  version: string,
  client?: FleetClient,
): Promise<VersionConfig> {
  const file = path.join(folder, 'versions', `${kind}-${version}.json`);
  if (existsSync(file)) return readJsonFile(file) as VersionConfig;
  const known =
    client &&
    (await client.query<{ agentVersions: (VersionConfig & { version: string })[] | null }>(VERSIONS, { kind }));
  const found = known?.agentVersions?.find((each) => each.version === version);
  if (found) return found;
  const asked = client ? 'and the platform knows no such version' : 'and no platform was asked, for there is no token';
  throw new FleetFailure('NOT_FOUND', `${kind} ${version} is not in ${file}, ${asked}`);
}

/** What the platform says of a file, without doing it: nothing where it would do it. @throws FleetFailure where it does not answer */
export async function objection(
  file: string,
  what: 'migration' | 'rule' | 'kind',
  client: FleetClient,
): Promise<UserError | undefined> {
  const input = { ...readJsonFile(file), dryRun: true };
  const answer = await client.query<Record<string, { userErrors: UserError[] } | null>>(
    what === 'rule' ? RULE : PUBLISH,
    { input },
  );
  return Object.values(answer)[0]?.userErrors[0];
}

/** JSON as it stands inside of a file, two blanks in. */
export const inset = (value: unknown) => JSON.stringify(value ?? {}, null, 2).replaceAll('\n', '\n  ');
