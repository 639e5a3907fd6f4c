/** One event of a stream of server-sent events. `id` is set when the event's block had one; a bare bookmark has no data. */
export interface ServerEvent {
  event: string;
  data: string;
  id?: string;
}

/** Takes a stream apart, whatever the chunks' borders. Source: WHATWG HTML, 9.2.6 "Interpreting an event stream". */
export class EventParser {
  #rest = '';
  #event = '';
  #data: string[] = [];
  #id: string | undefined;

  /** The events that this piece of text completes. */
  push(text: string): ServerEvent[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() as string;
    const events: ServerEvent[] = [];
    for (const line of lines) {
      if (line !== '') this.#field(line);
      else if (this.#data.length || this.#event || this.#id !== undefined) events.push(this.#take());
    }
    return events;
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.#event = value;
    else if (name === 'data') this.#data.push(value);
    else if (name === 'id') this.#id = value;
  }

  #take(): ServerEvent {
    const event: ServerEvent = { event: this.#event || 'message', data: this.#data.join('\n') };
    if (this.#id !== undefined) event.id = this.#id;
    this.#event = '';
    this.#data = [];
    this.#id = undefined;
    return event;
  }
}
