/** Names whose values nobody should read in a log. `inputTokens` is a count, `adminToken` is not. */
const SECRET_NAME =
  /password|passwd|passphrase|secret|authorization|cookie|credential|api[-_.]?key|private[-_.]?key|access[-_.]?key|token$/i;
/** What is a secret under any name: bearer and basic credentials, JSON web tokens, private keys. */
const SECRET_VALUE =
  /\b(?:Bearer|Basic) +[\w.~+/=-]{8,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;

export const REDACTED = '[redacted]';

/** Whether a value of this name is a secret; counts and flags are none. */
export function isSecret(name: string, value: unknown): boolean {
  return typeof value !== 'number' && typeof value !== 'boolean' && value != null && SECRET_NAME.test(name);
}

/** A text without the secrets that show by themselves. */
export function withoutSecrets(text: string): string {
  return text.replace(SECRET_VALUE, REDACTED);
}
