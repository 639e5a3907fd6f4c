import { type IncomingMessage, ServerResponse } from 'node:http';

/** The answer of one request, which knows the request's id. */
export class Reply extends ServerResponse<IncomingMessage> {
  /** Told in `x-request-id`. */
  requestId = '';
}
