/** Names under which a secret may stand. */
const SECRET = /pass(word|wd|phrase)|secret|token|credential|api[-_]?key|private[-_]?key|authorization|cookie/i;
/** `maxTokens: 4096` counts tokens and is none. */
const COUNT = /tokens$/i;

/** Whether a value under this name may be a secret: nothing of it is stored as it is. */
export function isSecret(name: string, value: unknown): boolean {
  if (!SECRET.test(name) || value === null || typeof value === 'boolean') return false;
  return !(typeof value === 'number' && COUNT.test(name));
}
