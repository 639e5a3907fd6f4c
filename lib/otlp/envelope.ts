import { isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import { asFleetError, FleetError, messageOf } from '../errors.ts';
import type { HouseRouteAnswer, HouseRouteRequest } from '../subgraph.ts';
import { RECORDS_HEADER } from './count.ts';
import { REQUESTS, type Signal } from './messages.ts';
import { decodeMessage, encodeExportAnswer, encodeStatus, type Plain } from './protobuf.ts';
import { type Rejection, summaryOf } from './records.ts';

/** The largest body, unpacked. */
export const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;

export type OtlpEncoding = 'protobuf' | 'json';

/** A request that was unpacked. */
export interface OtlpBody {
  encoding: OtlpEncoding;
  /** The body, unpacked: what a repeat is recognised by. */
  bytes: Buffer;
}

/** A request that was read. */
export interface OtlpRequest extends OtlpBody {
  /** As OTLP/JSON has it. */
  message: Plain;
}

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';
const REJECTED_NAMES: Record<Signal, string> = {
  logs: 'rejectedLogRecords',
  metrics: 'rejectedDataPoints',
  traces: 'rejectedSpans',
};
/** google.rpc.Code */
const RPC_CODES: Record<number, number> = { 400: 3, 401: 16, 403: 7, 413: 3, 415: 3, 429: 8, 503: 14 };

const UNPACK: Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>> = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  ...(zstdDecompress ? { zstd: promisify(zstdDecompress) } : {}),
};

/** The encoding a client speaks, by its content-type; undefined for another. */
export function encodingOf(contentType: string | undefined): OtlpEncoding | undefined {
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase();
  if (type === PROTOBUF || type === 'application/protobuf') return 'protobuf';
  return type === JSON_TYPE ? 'json' : undefined;
}

/**
 * Unpacks and parses the body of an export request.
 * @throws BAD_INPUT when it cannot be read as what it says it is; QUERY_TOO_LARGE over 16 MB unpacked
 */
export async function readOtlp(
  signal: Signal,
  request: Pick<HouseRouteRequest, 'headers' | 'body'>,
): Promise<OtlpRequest> {
  const body = await unpackOtlp(request);
  return { ...body, message: parseOtlp(signal, body) };
}

/**
 * Unpacks the body of an export request.
 * @throws BAD_INPUT for a content-type or an encoding that is not known; QUERY_TOO_LARGE over 16 MB unpacked
 */
export async function unpackOtlp(request: Pick<HouseRouteRequest, 'headers' | 'body'>): Promise<OtlpBody> {
  const encoding = encodingOf(request.headers['content-type']);
  if (!encoding) {
    throw new FleetError('BAD_INPUT', `content-type must be ${PROTOBUF} or ${JSON_TYPE}`, { status: 415 });
  }
  return { encoding, bytes: await unpacked(request) };
}

/** A request's body unpacked. @throws BAD_INPUT when it is not packed as it says; QUERY_TOO_LARGE over 16 MB unpacked */
export function unpacked({ body, headers }: Pick<HouseRouteRequest, 'headers' | 'body'>): Promise<Buffer> {
  return unpack(body, headers['content-encoding']);
}

/** @throws BAD_INPUT when it cannot be read as what it says it is */
export function parseOtlp(signal: Signal, { encoding, bytes }: OtlpBody): Plain {
  try {
    return encoding === 'json' ? parseJson(bytes) : decodeMessage(bytes, REQUESTS[signal]);
  } catch (error) {
    throw new FleetError('BAD_INPUT', `the body is no ${signal} export request in ${encoding}: ${messageOf(error)}`);
  }
}

function parseJson(bytes: Buffer): Plain {
  if (!isUtf8(bytes)) throw new Error('not UTF-8');
  const message = JSON.parse(bytes.toString()) as unknown;
  if (!message || typeof message !== 'object' || Array.isArray(message)) throw new Error('not an object');
  return message as Plain;
}

async function unpack(body: Buffer, contentEncoding: string | undefined): Promise<Buffer> {
  const name = (contentEncoding ?? 'identity').trim().toLowerCase();
  const unpacker = UNPACK[name];
  if (name !== 'identity' && !unpacker) {
    throw new FleetError('BAD_INPUT', `content-encoding ${name} is not known: gzip, deflate, br or zstd`, {
      status: 415,
    });
  }
  if (!unpacker) {
    if (body.length > MAX_UNPACKED_BYTES) throw tooLarge();
    return body;
  }
  try {
    return await unpacker(body, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new FleetError('BAD_INPUT', `the body is not ${name}: ${messageOf(error)}`);
  }
}

function tooLarge(): FleetError {
  return new FleetError('QUERY_TOO_LARGE', `a body has at most ${MAX_UNPACKED_BYTES} bytes unpacked`, { status: 413 });
}

/** 200 in the request's own encoding, with partialSuccess when records were refused. @param records how many the body held */
export function exportAnswer(
  signal: Signal,
  encoding: OtlpEncoding,
  rejected: readonly Rejection[],
  records = 0,
): HouseRouteAnswer {
  const counted = { [RECORDS_HEADER]: String(records) };
  const message = summaryOf(rejected);
  if (encoding === 'protobuf') {
    return answer(200, PROTOBUF, encodeExportAnswer(rejected.length, message), counted);
  }
  const partialSuccess = { [REJECTED_NAMES[signal]]: String(rejected.length), errorMessage: message };
  return answer(200, JSON_TYPE, JSON.stringify(rejected.length ? { partialSuccess } : {}), counted);
}

/**
 * A failure as OTLP clients understand it: google.rpc.Status in the request's encoding; 429 and 503 are sent again by them.
 * @throws the error itself when it is not one the client is meant to see
 */
export function failureAnswer(error: unknown, contentType: string | undefined): HouseRouteAnswer {
  const known = asFleetError(error);
  if (!known) throw error;
  const status = statusOf(known);
  const retryMs = known.extensions['retryAfterMs'];
  const headers =
    status === 429 || status === 503
      ? { 'retry-after': String(Math.max(1, Math.ceil(Number(retryMs ?? 1_000) / 1_000))) }
      : {};
  const code = RPC_CODES[status] ?? 2;
  if (encodingOf(contentType) === 'protobuf') {
    return answer(status, PROTOBUF, encodeStatus(code, known.message), headers);
  }
  return answer(status, JSON_TYPE, JSON.stringify({ code, message: known.message }), headers);
}

function statusOf(error: FleetError): number {
  const given = error.extensions['status'];
  if (typeof given === 'number') return given;
  if (error.code === 'FORBIDDEN') return 403;
  if (error.code === 'OVERLOADED' || error.code === 'RATE_LIMITED') return 429;
  // A time-out or an absent engine may pass: the client keeps its batch and tries again.
  return error.extensions['retryable'] === true ? 503 : 400;
}

function answer(
  status: number,
  type: string,
  body: Buffer | string,
  headers: Record<string, string> = {},
): HouseRouteAnswer {
  return { status, headers: { 'content-type': type, ...headers }, body };
}
