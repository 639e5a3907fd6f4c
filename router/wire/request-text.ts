import type { Address } from './connection.ts';

/** @throws TypeError when the address is neither http nor https */
export function addressIn({ protocol, hostname, port }: URL): Address {
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new TypeError(`${protocol} is no way to a subgraph: http or https`);
  const isSecure = protocol === 'https:';
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return { host, port: port === '' ? (isSecure ? 443 : 80) : Number(port), isSecure };
}

/** What the heads of all requests to an address have in common. An URL's parts are ASCII without spaces. */
export function headOf({ host, pathname, search }: URL, accept: string): string {
  return `POST ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\ncontent-type: application/json\r\naccept: ${accept}\r\n`;
}

const ILLEGAL = /[^\t\x20-\x7e]/;

/** A whole request as it is sent. */
export interface RequestText {
  readonly text: string;
  /** Where nothing needs more than a byte, writing is copying. */
  readonly encoding: 'latin1' | 'utf8';
}

/** @throws TypeError when a header's value could end its line, or is not ASCII */
export function requestText(head: string, headers: Readonly<Record<string, string>>, body: string): RequestText {
  let text = head;
  for (const name in headers) {
    const value = headers[name] as string;
    if (ILLEGAL.test(value)) throw new TypeError(`the header ${name} has characters that no header has`);
    text += `${name}: ${value}\r\n`;
  }
  const sizeBytes = Buffer.byteLength(body);
  return {
    text: `${text}content-length: ${sizeBytes}\r\n\r\n${body}`,
    encoding: sizeBytes === body.length ? 'latin1' : 'utf8',
  };
}
