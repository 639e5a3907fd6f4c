import type { SpawnedPlatform } from '../support/spawned-platform.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What one key asks for, by header or by argument. */
interface Wish {
  query: string;
  input: object;
  headers: Record<string, string>;
}

const WISHES: Record<string, (key: string, mark: string) => Wish> = {
  agents: (key) => ({
    query:
      'mutation ($input: CreateApiKeyInput!) { done: createApiKey(input: $input) { apiKey { id } userErrors { code } } }',
    input: { name: key, scopes: ['viewer'], clientMutationId: key },
    headers: {},
  }),
  alerts: (key, mark) => ({
    query:
      'mutation ($input: RaiseAlertInput!) { done: raiseAlert(input: $input) { alert { id } userErrors { code } } }',
    input: { name: mark, severity: 'INFO', labels: { key } },
    headers: { 'idempotency-key': key },
  }),
  logs: (key, mark) => ({
    query: 'mutation ($input: IngestLogsInput!) { done: ingestLogs(input: $input) { accepted userErrors { code } } }',
    input: { records: [{ severity: 'INFO', service: mark, body: key }] },
    headers: { 'idempotency-key': key },
  }),
  router: (key) => ({
    query: 'mutation ($input: ForceBreakerInput!) { done: forceBreaker(input: $input) { userErrors { code } } }',
    input: { subgraph: 'logs', override: 'AUTO', reason: key },
    headers: { 'idempotency-key': key },
  }),
};

/** Clients that send each mutation twice at once and again until it is acknowledged: always the same key and the same body. */
export class Retrier {
  readonly mark: string;
  /** Those whose mutation was acknowledged, `<mark>-<house>-<count>`. */
  readonly keys: string[] = [];
  answered = 0;
  /** Tries without an answer. */
  lost = 0;
  #isRunning = true;
  #state: number;
  #work: Promise<void>[] = [];

  constructor(
    private readonly platform: SpawnedPlatform,
    readonly seed: number,
  ) {
    this.#state = seed;
    this.mark = `once${seed}`;
  }

  /** In [0, 1), of the seed (Lehmer's generator). */
  random(): number {
    this.#state = (this.#state * 48_271 + 11) % 2_147_483_647;
    return this.#state / 2_147_483_647;
  }

  start(): void {
    for (const house of Object.keys(WISHES)) this.#work.push(this.#wish(house));
  }

  /** Waits until all that was begun is acknowledged. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#work);
  }

  async #wish(house: string): Promise<void> {
    for (let count = 0; this.#isRunning; count += 1) {
      const key = `${this.mark}-${house}-${count}`;
      const wish = (WISHES[house] as (typeof WISHES)[string])(key, this.mark);
      while (!(await this.#try(wish))) await pause(20 + this.random() * 80);
      this.keys.push(key);
    }
  }

  /** Sends it twice at once, and a third time once both are answered. @returns whether all agree that it is done */
  async #try(wish: Wish): Promise<boolean> {
    const first = await Promise.all([this.#send(wish), this.#send(wish)]);
    const answers = first.every(Boolean) ? [...first, await this.#send(wish)] : first;
    if (answers.some((answer) => answer === undefined)) return false;
    if (new Set(answers).size > 1) throw new Error(`the same key was answered otherwise: ${answers.join(' | ')}`);
    return true;
  }

  async #send({ query, input, headers }: Wish): Promise<string | undefined> {
    const answer = await this.platform.ask(query, { input }, headers).catch(() => undefined);
    const done = answer?.data?.done;
    if (!done) {
      this.lost += 1;
      return undefined;
    }
    this.answered += 1;
    // The secret of a key is shown once, which is told.
    const unexpected = done.userErrors.filter(({ code }: { code: string }) => code !== 'SECRET_ALREADY_SHOWN');
    if (unexpected.length > 0) throw new Error(JSON.stringify(unexpected));
    return JSON.stringify({ ...done, userErrors: [] });
  }
}
