import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionArgs, type FormattedExecutionResult, GraphQLError } from 'graphql';
import { type Context, handleProtocols, makeServer } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Principal } from '../../lib/call/principal.ts';
import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import { asFleetError, FleetError, messageOf } from '../../lib/errors.ts';
import { bearerIn } from '../callers/authenticator.ts';
import type { DoorKeeper } from '../callers/door-keeper.ts';
import type { Engine, Prepared } from '../engine.ts';
import { GONE, Presence } from '../leave-signal.ts';
import { BoundedStream, STREAM_QUEUE } from './bounded-stream.ts';
import { addressOf, callOf, identify } from './call.ts';
import { turnAway } from './farewell.ts';
import { hasTooManyMembers, requestIn } from './graph-request.ts';
import type { LiveStreams } from './live-streams.ts';
import type { Operations } from './operations.ts';
import { refusal } from './public-errors.ts';
import { pathOf } from './request-target.ts';
import type { SocketAdmission } from './socket-admission.ts';
import { errorsOf, oneAnswer, sentPayloads } from './socket-payloads.ts';
import { CLOSE, closings, SocketSession } from './socket-session.ts';

const INIT_WAIT_MS = 3_000;
const MAX_MESSAGE_BYTES = 1_000_000;
const MAX_OPERATIONS = 1_000;
/** How soon a socket that is full may be asked again, milliseconds. */
const RETRY_MS = 1_000;

export interface SocketDoorOptions {
  engine: Engine;
  operations: Operations;
  keeper: DoorKeeper;
  streams: LiveStreams;
  admission: SocketAdmission;
  corsOrigins: readonly string[];
  clock: Clock;
  traceRatio: number;
  /** Told of a caller that was turned away. */
  onDenied(call: Call, reason: string): void;
  pingMs?: number;
}

type Session = Context<Record<string, unknown>, SocketSession>;

/** What graphql-ws is given to run: the operation as this router knows it. */
interface Running {
  id: string;
  prepared: Prepared;
  call: Call;
  session: SocketSession;
  wantsHeartbeat: boolean;
}

/** A message of the protocol that is not a client's to send is the client's fault; all else is ours. */
function closeFor(error: unknown): [number, string] {
  const isUnexpected = messageOf(error).startsWith('Unexpected message');
  return isUnexpected ? [CLOSE.badRequest, 'Unexpected message'] : [1011, 'Internal error'];
}

/** GraphQL over WebSocket (graphql-transport-ws). */
export class SocketDoor {
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    // One message a turn of the loop: those that come together could hold it for the sum of all.
    allowSynchronousEvents: false,
    handleProtocols,
  });
  readonly #protocol;
  /** How a socket stops being counted as a stranger's. */
  readonly #leaving = new WeakMap<SocketSession, () => void>();

  constructor(private readonly options: SocketDoorOptions) {
    this.#protocol = makeServer<Record<string, unknown>, SocketSession>({
      connectionInitWaitTimeout: INIT_WAIT_MS,
      onConnect: (context) => this.#connect(context),
      onSubscribe: (context, id, payload) => this.#prepare(context, id, payload),
      execute: (args) => this.#run(args),
      subscribe: (args) => this.#stream(args),
      // Our answers are already what clients are to see; graphql-ws would look for error objects in them.
      onNext: (_context, _id, _payload, _args, answer) => answer as FormattedExecutionResult,
    });
  }

  /** Takes an HTTP upgrade, or refuses it with a status. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A peer may be gone at any moment of the handshake.
    socket.on('error', () => socket.destroy());
    const address = addressOf(request);
    const status = this.#refusal(request, address);
    if (status !== undefined) {
      turnAway(socket, status);
      return;
    }
    let isStranger = true;
    const leave = () => {
      if (isStranger) this.options.admission.leave(address);
      isStranger = false;
    };
    socket.once('close', leave);
    this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#opened(opened, request, leave));
  }

  /** Why there is no socket for this request; undefined: there is one, and it is counted. */
  #refusal(request: IncomingMessage, address: string): number | undefined {
    if (pathOf(request) !== '/graphql') return 404;
    if (!this.#isOwnPage(request)) return 403;
    return this.options.admission.enter(address) ? undefined : 429;
  }

  #opened(socket: WebSocket, request: IncomingMessage, leave: () => void): void {
    const session = new SocketSession(socket, request, this.options.pingMs);
    this.#leaving.set(session, leave);
    const closed = this.#protocol.opened(
      {
        protocol: socket.protocol,
        send: (text) =>
          new Promise((resolve, reject) => socket.send(text, (error) => (error ? reject(error) : resolve()))),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (receive) =>
          socket.on('message', (message, isBinary) => {
            // Bytes need not be UTF-8; of text that was made sure.
            if (isBinary) return session.close(CLOSE.badRequest, 'Text expected');
            const text = String(message);
            if (hasTooManyMembers(text)) session.close(CLOSE.tooBig, 'Message too big');
            else receive(text).catch((error: unknown) => session.close(...closeFor(error)));
            session.pace();
          }),
      },
      session,
    );
    socket.on('error', () => socket.terminate());
    socket.once('close', (code, reason) => closings.add(() => void closed(code, String(reason))));
  }

  async #connect(context: Session): Promise<boolean> {
    const { keeper, admission, streams } = this.options;
    const session = context.extra;
    const { request, socket } = session;
    const given = context.connectionParams?.['authorization'] ?? request.headers.authorization;
    const token = bearerIn(typeof given === 'string' ? given : undefined);
    const principal = await this.#admit(session, token);
    if (!principal) return false;
    if (!admission.authenticate()) {
      session.close(CLOSE.tryAgainLater, 'Too many sockets');
      return false;
    }
    socket.once('close', () => admission.leaveAuthenticated());
    this.#leaving.get(session)?.();
    Object.assign(session, { principal, token: keeper.isOpen ? undefined : token });
    const remove = streams.add({
      principal,
      token: session.token,
      expire: () => session.expire(),
      drain: () => session.drain(),
    });
    socket.once('close', remove);
    return socket.readyState === socket.OPEN;
  }

  async #admit(session: SocketSession, token: string | undefined): Promise<Principal | undefined> {
    const { keeper, clock, traceRatio, onDenied } = this.options;
    try {
      return await keeper.admit(token, addressOf(session.request));
    } catch (error) {
      const denied = asFleetError(error);
      if (denied?.code !== 'UNAUTHENTICATED') session.close(CLOSE.tryAgainLater, 'Try again later');
      else {
        session.close(CLOSE.unauthorized, 'Unauthorized');
        onDenied(callOf(session.request, clock, traceRatio), denied.message);
      }
      return undefined;
    }
  }

  /**
   * An operation that is ended while it is admitted is not heard of any more, neither here nor by graphql-ws: its id may be
   * another one's by then.
   */
  async #prepare(context: Session, id: string, payload: object): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const { admitting } = context.extra;
    const mark = {};
    admitting.set(id, mark);
    const isLeft = () => admitting.get(id) !== mark || !(id in context.subscriptions);
    const prepared = await this.#admitted(context, id, payload, isLeft);
    const isOver = isLeft();
    if (admitting.get(id) === mark) admitting.delete(id);
    return isOver ? new Promise(() => undefined) : prepared;
  }

  async #admitted(
    context: Session,
    id: string,
    payload: object,
    isLeft: () => boolean,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const { clock, traceRatio, operations, engine } = this.options;
    const session = context.extra;
    const call = callOf(session.request, clock, traceRatio);
    try {
      if (!session.principal) throw new Error('invariant broken: a subscribe before its acknowledgement');
      const { 'last-event-id': _, ...headers } = session.request.headers;
      const known = { ...call };
      identify(known, session.principal, headers);
      if (Object.keys(context.subscriptions).length > MAX_OPERATIONS) {
        throw new FleetError('OVERLOADED', `a socket runs at most ${MAX_OPERATIONS} operations`, {
          retryAfterMs: RETRY_MS,
        });
      }
      const request = requestIn(payload);
      const admission = await operations.admit(request, known);
      if ('refused' in admission) return errorsOf(admission.refused);
      const { prepared } = admission;
      if (prepared.kind === 'subscription') {
        await this.#turn(known, session, isLeft);
      }
      const { wantsHeartbeat = false } = request;
      const contextValue: Running = { id, prepared, call: known, session, wantsHeartbeat };
      return {
        schema: engine.schema,
        document: prepared.document,
        ...(prepared.name === undefined ? {} : { operationName: prepared.name }),
        contextValue,
      };
    } catch (error) {
      const coded = asFleetError(error);
      if (!coded) throw error;
      return errorsOf(refusal(coded, call));
    }
  }

  /** A stock client comes again to a socket that was closed for it, but takes an operation's error as its end. @throws OVERLOADED */
  async #turn(call: Call, session: SocketSession, isLeft: () => boolean): Promise<void> {
    const { socket } = session;
    try {
      await this.options.streams.turn(call, () => socket.readyState !== socket.OPEN || isLeft());
    } catch (error) {
      if (asFleetError(error)?.code === 'OVERLOADED') session.close(CLOSE.tryAgainLater, 'Try again later');
      throw error;
    }
  }

  /** One that is completed by its client, or whose socket closes, takes its calls to subgraphs back. */
  #run(args: ExecutionArgs): AsyncIterable<never> {
    const { prepared, call, session } = args.contextValue as Running;
    const caller = new Presence();
    const run = async () => {
      await session.read;
      return await this.options.operations.run(prepared, call, caller);
    };
    return oneAnswer(run, () => caller.leave()) as AsyncIterable<never>;
  }

  #stream(args: ExecutionArgs): AsyncIterable<never> {
    const { id, prepared, call, session, wantsHeartbeat } = args.contextValue as Running;
    const ended = new AbortController();
    const source = this.options.operations.stream(prepared, call, ended.signal);
    const countOff = this.options.streams.countOperation(call.principal.id);
    const stream = new BoundedStream(
      source,
      () => ended.abort(GONE),
      STREAM_QUEUE,
      () => this.options.streams.countSlow(),
      session.room,
    );
    const remove = session.add(stream);
    const stopBeating = wantsHeartbeat ? session.beat(id, stream) : undefined;
    const end = () => {
      remove();
      stopBeating?.();
      countOff();
      ended.abort(GONE);
    };
    return sentPayloads(stream, (batch) => session.tell(id, batch), end);
  }

  /** A browser tells which page opens a socket; with no credential needed, any page could. */
  #isOwnPage({ headers }: IncomingMessage): boolean {
    const { origin, host } = headers;
    if (origin === undefined || this.options.corsOrigins.includes(origin)) return true;
    return URL.canParse(origin) && new URL(origin).host === host;
  }
}
