import type { Command } from 'commander';
import type { UserError } from '../../sdk/index.ts';
import { settled } from '../client.ts';
import { contextOf, listed, type Surface } from '../context.ts';

const CREATE = `mutation CreateApiKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { secret apiKey { id name scopes expiresAt } userErrors { code message field } }
}`;
const LIST = 'query ApiKeys { apiKeys { id name scopes createdAt expiresAt lastUsedAt revokedAt } }';
const REVOKE = `mutation RevokeApiKey($input: RevokeApiKeyInput!) {
  revokeApiKey(input: $input) { apiKey { id name revokedAt } userErrors { code message field } }
}`;

interface Key {
  id: string;
  name: string;
  scopes: string[];
  expiresAt: string | null;
  lastUsedAt: string | null;
  revokedAt: string | null;
}

interface CreateOptions {
  scopes: string[];
  expires?: string;
  rps?: string;
}

export function addToken(program: Command, surface: Surface): void {
  const token = program.command('token').description('API keys for people, scripts and agents.');
  const create = token
    .command('create')
    .description('Makes an API key; its secret is shown once, alone on standard output.')
    .argument('<name>', 'what it is for')
    .requiredOption('--scopes <scopes>', 'of viewer, operator, admin, agent, auditor, schema:read', listed)
    .option('--expires <time>', 'when it ends, RFC 3339')
    .option('--rps <number>', 'requests a second it may make');
  create.action(async (name: string, { scopes, expires, rps }: CreateOptions) => {
    const { client, printer } = contextOf(create, surface);
    const input = { name, scopes, expiresAt: expires, requestsPerSecond: rps === undefined ? undefined : Number(rps) };
    const { createApiKey } = await client.query<{
      createApiKey: { secret: string; apiKey: Key; userErrors: UserError[] } | null;
    }>(CREATE, { input });
    const { secret, apiKey } = settled(createApiKey);
    printer.answer({ ...apiKey, secret }, () => {
      printer.note(`key ${apiKey.name} (${apiKey.scopes.join(', ')}), id ${apiKey.id}; the secret is not shown again:`);
      printer.line(secret);
    });
  });
  const list = token.command('list').description('The API keys, without their secrets.');
  list.action(async () => {
    const { client, printer } = contextOf(list, surface);
    const { apiKeys } = await client.query<{ apiKeys: Key[] | null }>(LIST);
    printer.answer(apiKeys, () =>
      printer.table<Key>(
        [
          { title: 'NAME', text: ({ name }) => name },
          { title: 'SCOPES', text: ({ scopes }) => scopes.join(',') },
          { title: 'EXPIRES', text: ({ expiresAt }) => expiresAt ?? '-' },
          { title: 'LAST USED', text: ({ lastUsedAt }) => lastUsedAt ?? '-' },
          { title: 'REVOKED', text: ({ revokedAt }) => revokedAt ?? '-' },
          { title: 'ID', text: ({ id }) => id },
        ],
        apiKeys ?? [],
      ),
    );
  });
  const revoke = token
    .command('revoke')
    .description('Ends an API key at once.')
    .argument('<id>', 'the key’s id')
    .option('--reason <text>', 'why');
  revoke.action(async (id: string, { reason }: { reason?: string }) => {
    const { client, printer } = contextOf(revoke, surface);
    const { revokeApiKey } = await client.query<{ revokeApiKey: { apiKey: Key; userErrors: UserError[] } | null }>(
      REVOKE,
      { input: { id, reason } },
    );
    const { apiKey } = settled(revokeApiKey);
    printer.answer(apiKey, () => printer.line(`key ${apiKey.name} is revoked`));
  });
}
