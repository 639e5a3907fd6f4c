import { randomUUID } from 'node:crypto';
import type { SpawnedPlatform } from '../support/spawned-platform.ts';
import type { History } from './history.ts';

const STEPS = [
  `mutation ($input: RaiseAlertInput!) { done: raiseAlert(input: $input) { alert { id } userErrors { message } } }`,
  `mutation ($input: AlertActionInput!) { done: acknowledgeAlert(input: $input) { alert { id } userErrors { message } } }`,
  `mutation ($input: AlertActionInput!) { done: resolveAlert(input: $input) { alert { id } userErrors { message } } }`,
];
/** What a fat payload selects many times over, characters. */
const PAD = 'x'.repeat(2_000);

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The step of its alert that a change tells of. */
export function stepOf(change: { node: { state: string; acknowledgement: object | null } }): number {
  if (change.node.state === 'RESOLVED') return 2;
  return change.node.acknowledgement === null ? 0 : 1;
}

/** Raises, acknowledges and resolves one alert after the other at a steady rate, through every failure. */
export class AlertWriters {
  readonly mark = `history-${randomUUID().slice(0, 8)}`;
  #isRunning = true;
  #work: Promise<void>[] = [];

  constructor(
    private readonly platform: SpawnedPlatform,
    private readonly history: History,
    private readonly perSecond: number,
  ) {}

  /** Several at once, so that changes of several alerts are told mixed. */
  start(writers = 4): void {
    for (let writer = 0; writer < writers; writer += 1)
      this.#work.push(this.#write(writer, (1_000 * writers) / this.perSecond));
  }

  /**
   * Waits until what was begun is acknowledged, and writes one alert more: whoever was told of that was told of all that is
   * going to be told of the others, once or twice.
   */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#work);
    await this.#raise(`${this.mark}-last`, () => pause(0));
  }

  async #write(writer: number, everyMs: number): Promise<void> {
    let due = performance.now();
    for (let count = 0; this.#isRunning; count += 1) {
      await this.#raise(`${this.mark}-${writer}-${count}`, async () => {
        due = Math.max(due + everyMs, performance.now());
        await pause(Math.max(0, due - performance.now()));
      });
    }
  }

  /** One alert, from its first step to its last. */
  async #raise(key: string, turn: () => Promise<void>): Promise<void> {
    const labels = { key, pad: PAD };
    const raising = { name: this.mark, severity: 'INFO', dedupKey: key, labels, clientMutationId: key };
    let id: string | undefined;
    for (const [step, mutation] of STEPS.entries()) {
      id = await this.#insist(mutation, id === undefined ? raising : { id, clientMutationId: `${key}-${step}` });
      this.history.write(key, step);
      await turn();
    }
  }

  /** Tries until it is acknowledged: the same key, the same body. @throws Error when it is refused for good */
  async #insist(mutation: string, input: object): Promise<string> {
    for (;;) {
      const answer = await this.platform.ask(mutation, { input }).catch(() => undefined);
      const done = answer?.data?.done;
      if (done?.alert) return done.alert.id;
      if (done) throw new Error(`a change is refused: ${JSON.stringify(done.userErrors)}`);
      await pause(100);
    }
  }
}
