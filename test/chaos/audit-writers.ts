import type { SpawnedPlatform } from '../support/spawned-platform.ts';
import { readAll } from './pages.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type Json = ReturnType<typeof JSON.parse>;

/** What one kind of mutation changes, and what its entries say. */
export interface Effect {
  action: string;
  what: string;
  /** A name for each change that was made. */
  changes(): Promise<string[]>;
  /** The name of the change that an entry is of. */
  nameOf(entry: Json): string;
}

interface Wish {
  action: string;
  query: string;
  input(key: string, count: number): object;
}

/** One that nothing in the scenario depends on. */
const FLAG = 'router.apollo-fallback';
const RECEIPT = 'auditEntry { id } userErrors { code message }';

/** Mutations of each house, one after the other, each tried until it is acknowledged: the same key, the same arguments. */
export class AuditWriters {
  readonly mark: string;
  /** Id of the entry → the action; of what was acknowledged. */
  readonly receipts = new Map<string, string>();
  #isRunning = true;
  #state: number;
  #work: Promise<void>[] = [];

  constructor(
    private readonly platform: SpawnedPlatform,
    readonly seed: number,
  ) {
    this.#state = seed;
    this.mark = `trail${seed}`;
  }

  /** In [0, 1), of the seed (Lehmer's generator). */
  random(): number {
    this.#state = (this.#state * 48_271 + 11) % 2_147_483_647;
    return this.#state / 2_147_483_647;
  }

  get actions(): Set<string> {
    return new Set(this.#wishes.map(({ action }) => action));
  }

  start(): void {
    this.#work = this.#wishes.map((wish) => this.#write(wish));
  }

  /** Waits until all that was begun is acknowledged. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#work);
  }

  get effects(): Effect[] {
    const { platform, mark } = this;
    return [
      {
        action: 'createApiKey',
        what: 'agents: keys made',
        changes: async () => {
          const { data } = await platform.ask('{ apiKeys { name } }');
          return data.apiKeys.map(({ name }: Json) => name).filter((name: string) => name.startsWith(mark));
        },
        nameOf: ({ after }) => after.name,
      },
      {
        action: 'raiseAlert',
        what: 'alerts: raised',
        changes: async () => {
          const alerts = await readAll(platform, 'alerts', 'label(name: "key")', { names: [mark] });
          return alerts.map(({ label }) => label);
        },
        nameOf: ({ after }) => after.labels?.key ?? JSON.stringify(after),
      },
      {
        action: 'applyRetentionPolicy',
        what: 'logs: versions of a policy',
        changes: async () => {
          const { data } = await platform.ask('{ retentionPolicies { name version } }');
          const { version } = data.retentionPolicies.find(({ name }: Json) => name === mark) ?? { version: 0 };
          return Array.from({ length: version }, (_, at) => String(at + 1));
        },
        nameOf: ({ after }) => String(after.version),
      },
      {
        action: 'applyFeatureFlag',
        what: 'router: versions of a flag',
        changes: async () => {
          const { data } = await platform.ask('{ featureFlags { name version } }');
          const { version } = data.featureFlags.find(({ name }: Json) => name === FLAG);
          return Array.from({ length: version }, (_, at) => String(at + 1));
        },
        nameOf: ({ after }) => String(after.version),
      },
    ];
  }

  get #wishes(): Wish[] {
    const { mark } = this;
    const wish = (action: string, type: string, input: Wish['input']): Wish => ({
      action,
      query: `mutation ($input: ${type}!) { done: ${action}(input: $input) { ${RECEIPT} } }`,
      input,
    });
    return [
      wish('createApiKey', 'CreateApiKeyInput', (key) => ({ name: key, scopes: ['viewer'] })),
      wish('raiseAlert', 'RaiseAlertInput', (key) => ({
        name: mark,
        severity: 'INFO',
        dedupKey: key,
        labels: { key },
      })),
      wish('applyRetentionPolicy', 'RetentionPolicyInput', (_key, count) => ({
        name: mark,
        match: { services: [mark] },
        keepFor: `P${(count % 300) + 1}D`,
      })),
      wish('forceBreaker', 'ForceBreakerInput', (key) => ({ subgraph: 'logs', override: 'AUTO', reason: key })),
      wish('applyFeatureFlag', 'ApplyFeatureFlagInput', (key, count) => ({
        name: FLAG,
        state: count % 2 ? 'ON' : 'OFF',
        reason: key,
      })),
    ];
  }

  async #write({ action, query, input }: Wish): Promise<void> {
    for (let count = 0; this.#isRunning; count += 1) {
      let id: string | undefined;
      for (let conflicts = 0; !id; ) {
        // A change of the flags that a killed router left is finished first: a refusal is the outcome of its key.
        const key = `${this.mark}-${action}-${count}-${conflicts}`;
        id = await this.#attempt(query, { input: { ...input(key, count), clientMutationId: key } }).catch((error) => {
          if (!/"CONFLICT"/.test(String(error))) throw error;
          conflicts += 1;
          return undefined;
        });
        if (!id) await pause(50);
      }
      this.receipts.set(id, action);
      await pause(20);
    }
  }

  /** Undefined while it is not acknowledged. @throws when it is refused for good */
  async #attempt(query: string, variables: object): Promise<string | undefined> {
    const answer = await this.platform.ask(query, variables).catch(() => undefined);
    const done = answer?.data?.done;
    if (!done) return undefined;
    const refused = done.userErrors.filter(({ code }: Json) => code !== 'SECRET_ALREADY_SHOWN');
    if (refused.length) throw new Error(JSON.stringify(refused));
    return done.auditEntry.id;
  }
}
