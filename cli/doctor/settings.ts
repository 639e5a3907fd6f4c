import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import { describeSettings, isLoopback, loadSettings, type Settings } from '../../lib/settings/index.ts';
import { distance } from '../output/near-names.ts';
import { type Check, error, type Finding, type Place, warning } from './check.ts';

/** Names in FLEET_… that are no server’s setting. */
const CLIENTS = ['FLEET_URL', 'FLEET_TOKEN', 'FLEET_DEMO_SEED'];

/** Whether the environment says what it means. */
export const checkSettings: Check = (place) => {
  const unknown = unknownNames(place.env);
  const known = Object.fromEntries(
    Object.entries(place.env).filter(([name]) => !unknown.some(({ name: other }) => other === name)),
  );
  const findings = unknown.map(({ name, nearest }) =>
    error(
      'setting-unknown',
      `${name} is no setting${nearest ? `; ${nearest} is` : ''}`,
      nearest ? `name it ${nearest}, or unset it` : 'unset it; docs/settings.md has all names',
    ),
  );
  try {
    return [...findings, ...together(loadSettings(known)), ...files(loadSettings(known)), ...envFile(place)];
  } catch (cause) {
    return [...findings, error('setting-wrong', messageOf(cause), 'change or unset it')];
  }
};

function unknownNames(env: Place['env']): { name: string; nearest: string | undefined }[] {
  const names = describeSettings().map(({ name }) => name);
  return Object.keys(env)
    .filter((name) => name.startsWith('FLEET_') && !names.includes(name) && !CLIENTS.includes(name))
    .map((name) => {
      const near = names.map((known) => ({ known, far: distance(name, known) })).sort((a, b) => a.far - b.far)[0];
      return { name, nearest: near && near.far <= 3 ? near.known : undefined };
    });
}

function together({ HOST, FLEET_ADMIN_TOKEN, FLEET_JWT_ISSUERS }: Settings): Finding[] {
  if (isLoopback(HOST) || FLEET_ADMIN_TOKEN || Object.keys(FLEET_JWT_ISSUERS).length) return [];
  return [
    error(
      'open-without-token',
      `HOST is ${HOST}, which others reach, and nobody would have to prove who they are`,
      'set FLEET_ADMIN_TOKEN to a secret of your own (`openssl rand -base64 32`), or HOST to 127.0.0.1',
    ),
  ];
}

function files(settings: Settings): Finding[] {
  const named: [fault: string, setting: string, file: string | undefined][] = [
    ['operations-missing', 'FLEET_OPERATIONS', settings.FLEET_OPERATIONS],
    ['sink-authorities-missing', 'FLEET_AUDIT_SINK_CA', settings.FLEET_AUDIT_SINK_CA],
    ...Object.values(settings.FLEET_JWT_ISSUERS)
      .filter((place) => place.startsWith('/'))
      .map((place) => ['issuer-keys-missing', 'FLEET_JWT_ISSUERS', place] as [string, string, string]),
  ];
  const missing = named.flatMap(([fault, setting, file]) =>
    file && !existsSync(file)
      ? error(fault, `${setting} names ${file}, which is not there`, `put the file there, or change ${setting}`)
      : [],
  );
  return [...missing, ...flagsFile(settings)];
}

function flagsFile({ FLEET_FLAGS_FILE, FLEET_DATA }: Settings): Finding[] {
  const file = FLEET_FLAGS_FILE ?? path.join(FLEET_DATA, 'flags.json');
  if (!existsSync(file)) return [];
  try {
    JSON.parse(readFileSync(file, 'utf8'));
    return [];
  } catch (cause) {
    const what = `the flags in ${file} are not JSON (${messageOf(cause)}): those known last stay`;
    return [error('flags-broken', what, 'mend the file; `fleet flags list` shows what holds')];
  }
}

function envFile({ root }: Place): Finding[] {
  const file = path.join(root, '.env');
  if (!existsSync(file) || !/(TOKEN|SECRET|PASSWORD|_URL)=\S/.test(readFileSync(file, 'utf8'))) return [];
  if (!(statSync(file).mode & 0o044)) return [];
  return [
    warning('env-file-readable', `${file} holds secrets, and others on this machine may read it`, `chmod 600 ${file}`),
  ];
}
