import type { AskWitness } from './cosigner.ts';

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 65_536;

/**
 * Asks a witness over HTTP; follows no redirect.
 * @param prefix its submission prefix @param token sent as a bearer's, where the witness is another instance of this
 */
export function askWitness(prefix: URL, token: string | undefined): AskWitness {
  const url = `${prefix.href.replace(/\/$/, '')}/add-checkpoint`;
  return async (text) => {
    const response = await fetch(url, {
      method: 'POST',
      body: text,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        'content-type': 'text/plain; charset=utf-8',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    });
    let answer = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      answer += decoder.decode(chunk, { stream: true });
      if (answer.length > MAX_BYTES) throw new Error('its answer is too long');
    }
    return { status: response.status, text: answer };
  };
}
