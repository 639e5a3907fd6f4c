import type { AnyAnswer, StreamItem } from '../engine.ts';
import { textOf } from './item-text.ts';

/** What an item weighs beside its answer's text, bytes. */
const ITEM_BYTES = 100;

/**
 * Items of one stream that came together. All who follow the same stream are given the same object, so that what is made
 * of it for one is made for all.
 */
export class StreamBatch {
  #frames: Buffer | undefined;
  #weightBytes: number | undefined;

  constructor(readonly items: readonly StreamItem<AnyAnswer>[]) {}

  /** The latest cursor or bookmark in it. */
  get cursor(): string | undefined {
    for (let at = this.items.length - 1; at >= 0; at -= 1) {
      const id = this.items[at]?.id;
      if (id !== undefined) return id;
    }
    return undefined;
  }

  /** Whether its last item is an error that ends the stream. */
  get isFinal(): boolean {
    const answer = this.items.at(-1)?.answer;
    return answer !== undefined && answer.data === undefined;
  }

  /** Whether what came last is that nothing comes. */
  get isStale(): boolean {
    return this.items.at(-1)?.isStale === true;
  }

  get hasErrors(): boolean {
    return this.items.some(({ answer }) => answer?.errors !== undefined);
  }

  /** How many of its items are to be told: the others only say how far was read. */
  get told(): number {
    let told = 0;
    for (const { answer } of this.items) if (answer) told += 1;
    return told;
  }

  /** What it takes while it waits, about. */
  get weightBytes(): number {
    if (this.#weightBytes === undefined) {
      this.#weightBytes = 0;
      for (const { answer } of this.items)
        this.#weightBytes += ITEM_BYTES + (answer ? Buffer.byteLength(textOf(answer)) : 0);
    }
    return this.#weightBytes;
  }

  /** As server-sent events (graphql-sse, distinct connection): `id:` is the cursor. */
  get frames(): Buffer {
    if (!this.#frames) {
      let text = '';
      for (const { id, answer } of this.items) {
        if (answer) text += `event: next\n${id === undefined ? '' : `id: ${id}\n`}data: ${textOf(answer)}\n\n`;
      }
      this.#frames = Buffer.from(text);
    }
    return this.#frames;
  }
}
