import { randomUUID } from 'node:crypto';
import type { SpawnedPlatform } from '../support/spawned-platform.ts';

const RAISE = `mutation ($input: RaiseAlertInput!) { raiseAlert(input: $input) { alert { id } userErrors { code message } } }`;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Mutations, log batches and one subscriber, each going on through every failure; and what was acknowledged to them. */
export class Load {
  readonly alerts = new Map<string, string>();
  readonly records = new Set<string>();
  readonly seen: string[] = [];
  readonly repeatedCursors: string[] = [];
  /** An identity of this load, for filters. */
  readonly mark = `chaos-${randomUUID().slice(0, 8)}`;
  #running = true;
  #work: Promise<void>[] = [];
  #cursor: string | undefined;
  #abort = new AbortController();

  constructor(private readonly platform: SpawnedPlatform) {}

  async start(): Promise<void> {
    const opened = this.#subscribe();
    this.#work.push(opened.done);
    await opened.ready;
    for (let writer = 0; writer < 3; writer += 1) this.#work.push(this.#mutate(writer), this.#ship(writer));
  }

  /** Ends the writers and waits until what they last sent is acknowledged. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#work.slice(1));
  }

  /** Ends the subscriber. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#work[0];
  }

  async #mutate(writer: number): Promise<void> {
    for (let count = 0; this.#running; count += 1) {
      const key = `${this.mark}-${writer}-${count}`;
      const input = { name: this.mark, severity: 'INFO', dedupKey: key, labels: { key }, clientMutationId: key };
      const id = await this.#insist(async () => {
        const answer = await this.platform.ask(RAISE, { input });
        return answer.data?.raiseAlert?.alert?.id as string | undefined;
      });
      this.alerts.set(key, id);
      await pause(20);
    }
  }

  async #ship(writer: number): Promise<void> {
    for (let batch = 0; this.#running; batch += 1) {
      const bodies = Array.from({ length: 20 }, (_, at) => `${this.mark} w${writer}b${batch}r${at}`);
      const body = JSON.stringify(otlpLogs(this.mark, bodies));
      await this.#insist(async () => {
        const response = await fetch(`${this.platform.url}/v1/logs`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${this.platform.token}` },
          body,
          signal: AbortSignal.timeout(15_000),
        });
        await response.arrayBuffer();
        return response.status === 200 ? 'stored' : undefined;
      });
      for (const text of bodies) this.records.add(text);
      await pause(20);
    }
  }

  /** Tries until it is acknowledged: the same key, the same body. */
  async #insist<T>(attempt: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      const outcome = await attempt().catch(() => undefined);
      if (outcome !== undefined) return outcome;
      await pause(100);
    }
  }

  #subscribe(): { ready: Promise<void>; done: Promise<void> } {
    let opened = () => {};
    const ready = new Promise<void>((resolve) => {
      opened = resolve;
    });
    const done = (async () => {
      while (!this.#abort.signal.aborted) {
        await this.#listen(opened).catch(() => undefined);
        if (!this.#abort.signal.aborted) await pause(50);
      }
    })();
    return { ready, done };
  }

  async #listen(opened: () => void): Promise<void> {
    const query = `subscription ($filter: AlertFilter) { alertChanged(filter: $filter) { cursor kind node { label(name: "key") } } }`;
    const response = await fetch(`${this.platform.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${this.platform.token}`,
        ...(this.#cursor ? { 'last-event-id': this.#cursor } : {}),
      },
      body: JSON.stringify({ query, variables: { filter: { names: [this.mark] } } }),
      signal: this.#abort.signal,
    });
    if (!response.body || response.status !== 200) throw new Error(`the stream answered ${response.status}`);
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      opened();
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block: string): void {
    const id = /^id: ?(.+)$/m.exec(block)?.[1];
    const data = /^data: ?(.+)$/m.exec(block)?.[1];
    const change = data ? JSON.parse(data).data?.alertChanged : undefined;
    if (change) {
      if (change.cursor === this.#cursor) this.repeatedCursors.push(change.cursor);
      if (change.kind === 'CREATED') this.seen.push(change.node.label);
    }
    if (id) this.#cursor = id;
  }
}

/** An OTLP/JSON body of these texts; records carry times, so that a resent body is stored once. */
export function otlpLogs(service: string, bodies: readonly string[]): object {
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
  const logRecords = bodies.map((text) => ({
    timeUnixNano: `${Date.now()}000000`,
    severityNumber: 9,
    body: { stringValue: text },
  }));
  return { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] };
}
