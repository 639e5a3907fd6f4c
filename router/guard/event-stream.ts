/** One dispatched block of a server-sent event stream; a lone comment or id is one too, for it says that somebody lives. */
export interface ServerSentEvent {
  event: string | undefined;
  id: string | undefined;
  data: string | undefined;
}

/**
 * Cuts a byte stream into server-sent events (HTML Living Standard 9.2), one at each blank line.
 * @param maxBytes the largest event taken
 * @throws Error when an event is larger
 */
export async function* serverSentEvents(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    let end = blankLine(text);
    while (end) {
      yield readBlock(text.slice(0, end.at));
      text = text.slice(end.behind);
      end = blankLine(text);
    }
    if (text.length > maxBytes) throw new Error(`an event is over ${maxBytes} bytes`);
  }
}

function blankLine(text: string): { at: number; behind: number } | undefined {
  const match = /\r\n\r\n|\n\n|\r\r/.exec(text);
  return match ? { at: match.index, behind: match.index + match[0].length } : undefined;
}

function readBlock(block: string): ServerSentEvent {
  const read: ServerSentEvent = { event: undefined, id: undefined, data: undefined };
  for (const line of block.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':');
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') read.event = value;
    else if (field === 'id') read.id = value;
    else if (field === 'data') read.data = read.data === undefined ? value : `${read.data}\n${value}`;
  }
  return read;
}
