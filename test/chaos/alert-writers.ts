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

  /** Waits until what was begun is acknowledged. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#work);
  }

  async #write(writer: number, everyMs: number): Promise<void> {
    let due = performance.now();
    for (let count = 0; this.#isRunning; count += 1) {
      const key = `${this.mark}-${writer}-${count}`;
      let id: string | undefined;
      for (const [step, mutation] of STEPS.entries()) {
        due = Math.max(due + everyMs, performance.now());
        const input = id === undefined ? this.#raise(key) : { id, clientMutationId: `${key}-${step}` };
        id = await this.#insist(mutation, input);
        this.history.write(key, step);
        await pause(Math.max(0, due - performance.now()));
      }
    }
  }

  #raise(key: string): object {
    const labels = { key, pad: PAD };
    return { name: this.mark, severity: 'INFO', dedupKey: key, labels, clientMutationId: key };
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
