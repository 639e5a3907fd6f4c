import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Kind, parse, type SelectionSetNode } from 'graphql';

const HEARTBEAT_MS = 2_000;

interface Representation {
  __typename: string;
  id: string;
}

/** All subgraphs of a large fleet (test/router/schema/large-fleet.ts) behind one port, and its stream of flashes. */
export class LargeHouse {
  flashed = 0;
  readonly #streams = new Set<() => void>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  async start(): Promise<(name: string) => string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    return (name) => `http://127.0.0.1:${port}/${name}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Sends one flash to every stream; each has the next number as its cursor. */
  flash(): void {
    this.flashed += 1;
    for (const send of this.#streams) send();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { query, variables } = JSON.parse(Buffer.concat(chunks).toString());
    if (String(request.headers.accept).includes('text/event-stream')) {
      this.#stream(request.headers['last-event-id'] ?? variables?.after, response);
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ data: answerTo(query, variables?.representations ?? []) }));
  }

  #stream(after: unknown, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n');
    let sent = after === undefined || after === null ? this.flashed : Number(after);
    const send = () => {
      while (sent < this.flashed) {
        sent += 1;
        const flashed = { __typename: 'Flash', cursor: `${sent}`, number: sent };
        response.write(`event: next\nid: ${sent}\ndata: ${JSON.stringify({ data: { flashed } })}\n\n`);
      }
    };
    // As houses do: who is not heard of for long is taken for lost.
    const beating = setInterval(() => response.write(':\n\n'), HEARTBEAT_MS);
    this.#streams.add(send);
    response.on('close', () => {
      clearInterval(beating);
      this.#streams.delete(send);
    });
    send();
  }
}

/** Whatever is asked for, by the names of fields and types. */
function answerTo(query: string, representations: readonly Representation[]): object {
  const [operation] = parse(query, { noLocation: true }).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  return objectOf(operation.selectionSet, 'Query', '', representations);
}

function objectOf(set: SelectionSetNode, type: string, id: string, given: readonly Representation[]): object {
  const object: Record<string, unknown> = {};
  for (const selection of set.selections) {
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      if (selection.typeCondition?.name.value === type) {
        Object.assign(object, objectOf(selection.selectionSet, type, id, given));
      }
    } else if (selection.kind === Kind.FIELD) {
      const { name, alias, selectionSet } = selection;
      object[(alias ?? name).value] = fieldOf(name.value, selectionSet, { type, id, given });
    }
  }
  return object;
}

interface At {
  type: string;
  id: string;
  given: readonly Representation[];
}

function fieldOf(field: string, set: SelectionSetNode | undefined, { type, id, given }: At): unknown {
  if (field === '__typename') return type;
  if (field === 'id') return id;
  if (!set) return field.startsWith('version') ? Number(field.slice('version'.length)) : `${field} of ${id}`;
  if (field === '_entities') return given.map((each) => objectOf(set, each.__typename, each.id, given));
  if (field === 'next') {
    const [, house, at] = /^T(\d+)_(\d+)$/.exec(type) as unknown as [string, string, string];
    return objectOf(set, `T${house}_${Number(at) + 1}`, `${id}-next`, given);
  }
  return objectOf(set, `T${field.slice(1)}_0`, field, given);
}
