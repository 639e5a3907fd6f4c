import fc from 'fast-check';
import { bytesField, eightField, type Field, message, varintField } from './otlp-protobuf.ts';

const shuffled = (arbitrary: fc.Arbitrary<Field[]>): fc.Arbitrary<Uint8Array> =>
  arbitrary.chain((fields) => fc.shuffledSubarray(fields, { minLength: fields.length })).map(message);
const seldom = <T>(usual: fc.Arbitrary<T>, unusual: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: usual, weight: 12 }, { arbitrary: unusual, weight: 1 });
const some = (...fields: fc.Arbitrary<Field>[]): fc.Arbitrary<Field[]> =>
  fc
    .tuple(...fields.map((field) => fc.option(field, { freq: 3 })))
    .map((found) => found.filter((field) => field !== null));

const text = seldom(
  fc
    .oneof(
      fc.constantFrom(
        'task 7 was done',
        'with "quotes" and \\',
        'tab\t and \u0001',
        'naïve café 💡',
        '',
        '\u2028',
        'x'.repeat(300),
      ),
      fc.constantFrom(
        'password=hunter2!',
        'mail bob@example.com now',
        'Bearer abcdefghijk1234567890',
        '4111 1111 1111 1111',
      ),
      fc.string({ unit: 'binary', maxLength: 12 }),
    )
    .map((value) => Buffer.from(value)),
  fc.oneof(
    fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
    fc.constant(Buffer.from('nul \0 inside')),
  ),
);
const key = seldom(
  fc.constantFrom('user.id', 'http.status', 'a', 'b', 'password', 'api_key', '__proto__', 'event.name', ''),
  fc.constantFrom('7', '10x', '42', 'same', 'same', 'fleet.agent.id', 'service.name'),
).map((value) => Buffer.from(value));

const unknown: fc.Arbitrary<Field> = fc.oneof(
  fc.constant(varintField(7, '5')),
  fc.constant(varintField(13, '18446744073709551615')),
  fc.constant(eightField(14, '7')),
  fc.constant(bytesField(15, Buffer.from('later'))),
  fc.constant(bytesField(99, Buffer.from('much later'))),
  fc.constant<Field>((writer) => void writer.uint32((8 << 3) | 5).fixed32(1)),
  fc.constant<Field>((writer) => void writer.uint32((9 << 3) | 3).uint32((9 << 3) | 4)),
);

const scalar: fc.Arbitrary<Field> = fc.oneof(
  { arbitrary: text.map((bytes) => bytesField(1, bytes)), weight: 5 },
  { arbitrary: fc.boolean().map((value) => varintField(2, value ? '1' : '0')), weight: 1 },
  {
    arbitrary: fc
      .constantFrom('0', '7', '300', '-1', '9007199254740991', '9007199254740993')
      .map((value) => varintField(3, value)),
    weight: 3,
  },
  {
    arbitrary: fc.double().map(
      (value): Field =>
        (writer) =>
          void writer.uint32((4 << 3) | 1).double(value),
    ),
    weight: 2,
  },
  { arbitrary: fc.uint8Array({ maxLength: 6 }).map((bytes) => bytesField(7, bytes)), weight: 1 },
);
const { value } = fc.letrec<{ value: Uint8Array; pair: Uint8Array }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    { arbitrary: scalar.map((field) => message([field])), weight: 20 },
    { arbitrary: fc.constant(Buffer.alloc(0)), weight: 1 },
    { arbitrary: fc.tuple(scalar, scalar).map(message), weight: 1 },
    { arbitrary: fc.tuple(scalar, unknown).map(message), weight: 1 },
    {
      arbitrary: fc
        .array(tie('value'), { maxLength: 3 })
        .map((items) => message([bytesField(5, message(items.map((item) => bytesField(1, item))))])),
      weight: 2,
    },
    {
      arbitrary: fc
        .array(tie('pair'), { maxLength: 3 })
        .map((pairs) => message([bytesField(6, message(pairs.map((pair) => bytesField(1, pair))))])),
      weight: 2,
    },
  ),
  pair: shuffled(fc.tuple(key, tie('value')).map(([name, content]) => [bytesField(1, name), bytesField(2, content)])),
}));
/** Lists in lists, deeper than is allowed at the end. */
const deep = fc.integer({ min: 26, max: 36 }).map((depth) => {
  let inside: Uint8Array = message([varintField(3, '1')]);
  for (let level = 0; level < depth; level += 1) inside = message([bytesField(5, message([bytesField(1, inside)]))]);
  return inside;
});
const anyValue = seldom(value, seldom(value, deep));
const attribute = shuffled(
  fc
    .tuple(
      some(
        key.map((name) => bytesField(1, name)),
        anyValue.map((content) => bytesField(2, content)),
      ),
      seldom(
        fc.constant<Field[]>([]),
        unknown.map((field) => [field]),
      ),
    )
    .map((parts) => parts.flat()),
);

const nanos = seldom(
  fc.constantFrom('1700000000123456789', '1', '1799999999999999999'),
  fc.constantFrom('0', '9223372036854775807', '9223372036854775808', '18446744073709551615'),
);
const id = (size: number) =>
  seldom(
    fc.uint8Array({ minLength: size, maxLength: size }),
    fc.constantFrom(Buffer.alloc(0), Buffer.alloc(size), Buffer.alloc(size - 1, 1)) as fc.Arbitrary<Uint8Array>,
  );
const record = shuffled(
  fc
    .tuple(
      some(
        nanos.map((time) => eightField(1, time)),
        seldom(fc.constantFrom('0', '9', '24'), fc.constantFrom('25', '300', '-1')).map((severity) =>
          varintField(2, severity),
        ),
        seldom(fc.constantFrom('WARN', 'warning', 'Error', 'odd', ''), text.map(String)).map((name) =>
          bytesField(3, Buffer.from(name)),
        ),
        anyValue.map((body) => bytesField(5, body)),
        id(16).map((trace) => bytesField(9, trace)),
        id(8).map((span) => bytesField(10, span)),
        nanos.map((time) => eightField(11, time)),
      ),
      fc.array(
        attribute.map((pair) => bytesField(6, pair)),
        { maxLength: 4 },
      ),
      seldom(
        fc.constant<Field[]>([]),
        fc.oneof(
          unknown.map((field) => [field]),
          text.map((name) => [bytesField(12, name)]),
          nanos.map((time) => [eightField(1, time)]),
        ),
      ),
    )
    .map((parts) => parts.flat()),
);
const scope = shuffled(
  fc
    .tuple(fc.array(record, { maxLength: 5 }), seldom(fc.constant('scope'), text.map(String)))
    .map(([records, name]) => [
      ...records.map((each) => bytesField(2, each)),
      bytesField(1, message([bytesField(1, Buffer.from(name))])),
    ]),
);
const resource = shuffled(
  fc
    .tuple(
      fc.array(scope, { maxLength: 2 }),
      fc.array(attribute, { maxLength: 3 }),
      text,
      seldom(
        fc.constant<Field[]>([]),
        unknown.map((field) => [field]),
      ),
    )
    .map(([scopes, attributes, service, more]) => {
      const named = message([
        bytesField(1, Buffer.from('service.name')),
        bytesField(2, message([bytesField(1, service)])),
      ]);
      const pairs = [...attributes, named].map((pair) => bytesField(1, pair));
      return [...scopes.map((each) => bytesField(2, each)), bytesField(1, message(pairs)), ...more];
    }),
);

/** Bytes of an ExportLogsServiceRequest of every form there is. */
export const request: fc.Arbitrary<Buffer> = fc
  .array(resource, { maxLength: 3 })
  .map((resources) => Buffer.from(message(resources.map((each) => bytesField(1, each)))));

/** The same, damaged: cut, or with bytes that are others. */
export const damaged: fc.Arbitrary<Buffer> = fc
  .tuple(
    request,
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 }),
    fc.boolean(),
  )
  .map(([bytes, changes, isCut]) => {
    const copy = Buffer.from(bytes);
    for (const [at, byte] of changes) if (copy.length) copy[at % copy.length] = byte;
    return isCut ? copy.subarray(0, (changes[0]?.[0] ?? 0) % (copy.length + 1)) : copy;
  });
