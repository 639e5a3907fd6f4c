import { Writer } from 'protobufjs/minimal';

/** A protobuf field as it is written. */
export type Field = (writer: Writer) => void;

export const bytesField =
  (number: number, bytes: Uint8Array): Field =>
  (writer) =>
    void writer.uint32((number << 3) | 2).bytes(bytes);
export const varintField =
  (number: number, value: string): Field =>
  (writer) =>
    void writer.uint32(number << 3).int64(value);
export const eightField =
  (number: number, value: string): Field =>
  (writer) =>
    void writer.uint32((number << 3) | 1).fixed64(value);

/** A message of fields in this order. */
export function message(fields: readonly Field[]): Uint8Array {
  const writer = Writer.create();
  for (const field of fields) field(writer);
  return writer.finish();
}

/** OTLP/JSON as protobuf: what records usually have. */
export function protobufOf({ resourceLogs }: { resourceLogs: JsonResource[] }): Buffer {
  return Buffer.from(
    message(
      resourceLogs.map(({ resource: { attributes }, scopeLogs }) =>
        bytesField(
          1,
          message([
            bytesField(1, message(attributes.map((pair) => bytesField(1, pairOf(pair))))),
            ...scopeLogs.map(({ logRecords }) =>
              bytesField(2, message(logRecords.map((each) => bytesField(2, recordOf(each))))),
            ),
          ]),
        ),
      ),
    ),
  );
}

interface JsonPair {
  key: string;
  value: JsonValue;
}
interface JsonValue {
  stringValue?: string;
  intValue?: string;
  arrayValue?: { values: JsonValue[] };
  kvlistValue?: { values: JsonPair[] };
}
interface JsonRecord {
  timeUnixNano: string;
  severityNumber: number;
  body?: JsonValue;
  attributes?: JsonPair[];
}
export interface JsonResource {
  resource: { attributes: JsonPair[] };
  scopeLogs: { logRecords: JsonRecord[] }[];
}

function recordOf({ timeUnixNano, severityNumber, body, attributes = [] }: JsonRecord): Uint8Array {
  return message([
    eightField(1, timeUnixNano),
    varintField(2, String(severityNumber)),
    ...(body ? [bytesField(5, anyValueOf(body))] : []),
    ...attributes.map((pair) => bytesField(6, pairOf(pair))),
  ]);
}

const pairOf = ({ key: name, value: content }: JsonPair): Uint8Array =>
  message([bytesField(1, Buffer.from(name)), bytesField(2, anyValueOf(content))]);

function anyValueOf({ stringValue, intValue, arrayValue, kvlistValue }: JsonValue): Uint8Array {
  if (stringValue !== undefined) return message([bytesField(1, Buffer.from(stringValue))]);
  if (intValue !== undefined) return message([varintField(3, intValue)]);
  if (arrayValue)
    return message([bytesField(5, message(arrayValue.values.map((item) => bytesField(1, anyValueOf(item)))))]);
  const pairs = (kvlistValue?.values ?? []).map((pair) => bytesField(1, pairOf(pair)));
  return message([bytesField(6, message(pairs))]);
}
