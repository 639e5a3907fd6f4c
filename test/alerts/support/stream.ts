import type { AnyShape, TestHouse } from '../../support/house.ts';
import { callOf } from '../../support/house.ts';

/** A subscription read by signed server-sent events. */
export interface TestStream {
  /** Payloads so far. */
  seen: AnyShape[];
  close(): void;
}

export async function subscribe(house: TestHouse, query: string, variables: object = {}): Promise<TestStream> {
  const seen: AnyShape[] = [];
  const response = await house.client.open('POST /graphql', {
    call: callOf(),
    body: JSON.stringify({ query, variables }),
    headers: { accept: 'text/event-stream' },
  });
  let rest = '';
  response.on('data', (chunk: Buffer) => {
    rest += chunk.toString();
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = /^data: (.+)$/m.exec(block)?.[1];
      if (data) seen.push(JSON.parse(data));
    }
  });
  response.on('error', () => undefined);
  // The first comment says that the place where it starts is settled.
  await new Promise((resolve) => response.once('data', resolve));
  return { seen, close: () => response.destroy() };
}
