import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { currentTraceparent, readTraceparent, startTracing, withTraceparent } from '../../lib/telemetry/index.ts';
import { spansIn } from '../support/sent-spans.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

/** What listens at an OTLP endpoint. */
async function openCollector() {
  const got: string[] = [];
  const server = createServer((request, response) => {
    request.resume();
    got.push(`${request.method} ${request.url}`);
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}/v1/traces`, got, close };
}

test('a traceparent is read strictly', () => {
  expect(readTraceparent(`00-${TRACE}-${PARENT}-01`)).toEqual({
    traceId: TRACE,
    spanId: PARENT,
    traceFlags: 1,
    isRemote: true,
  });
  expect(readTraceparent(`00-${TRACE}-${PARENT}-00`)?.traceFlags).toBe(0);
  for (const wrong of [
    undefined,
    '',
    `ff-${TRACE}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-1-01`,
  ])
    expect(readTraceparent(wrong)).toBeUndefined();
});

test('in a process, GraphQL and SQL are spans of the trace that called it, an endpoint gets them too', async () => {
  const collector = await openCollector();
  const hook = ['--require', './test/telemetry/typescript-hook.cjs'];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...hook, 'test/telemetry/traced-process.ts', `00-${TRACE}-${PARENT}-01`, collector.url],
    { cwd: path.resolve(__dirname, '../..'), timeout: 30_000 },
  ).finally(() => collector.close());
  expect(collector.got).toEqual(['POST /v1/traces']);
  const spans = stdout
    .trim()
    .split('\n')
    .flatMap((line) => spansIn(Buffer.from(line, 'base64')));
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
  const entry = spans.find(({ name }) => name === 'POST /graphql');
  expect(entry?.parentSpanId).toBe(PARENT);
  expect(spans.some(({ name }) => name.startsWith('query One'))).toBe(true);
  const statements = spans.filter(({ name }) => name.startsWith('pg.query'));
  expect(statements).toHaveLength(1);
  const ids = new Set(spans.map(({ spanId }) => spanId));
  expect(spans.filter((span) => span !== entry && !ids.has(span.parentSpanId as string))).toEqual([]);
});

describe('tracing in this process', () => {
  test('samples by ratio, but follows who sampled; a failure is marked and passes on', async () => {
    const bodies: Uint8Array[] = [];
    const tracing = startTracing({
      service: 'here',
      instance: 'one',
      ratio: 0,
      send: async (body) => void bodies.push(body),
    });
    expect(currentTraceparent()).toBeUndefined();
    await withTraceparent(undefined, 'not sampled', async () => expect(currentTraceparent()).toMatch(/-00$/));
    const facts = { kind: 'SERVER' as const, attributes: { answer: 42 } };
    await withTraceparent(
      `00-${TRACE}-${PARENT}-01`,
      'outer',
      async () => {
        expect(currentTraceparent()).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
        const failing = withTraceparent(undefined, 'inner', async () => {
          throw new Error('it broke');
        });
        await expect(failing).rejects.toThrow('it broke');
        await expect(withTraceparent(undefined, 'text', () => Promise.reject('words'))).rejects.toBe('words');
      },
      facts,
    );
    await tracing.flush();
    await tracing.stop();
    const [inner, text, outer] = bodies.flatMap(spansIn);
    expect(outer).toMatchObject({ name: 'outer', parentSpanId: PARENT, kind: 2, status: { code: 0 } });
    expect(inner).toMatchObject({ parentSpanId: outer?.spanId, status: { code: 2, message: 'it broke' } });
    expect(inner?.events?.[0]?.name).toBe('exception');
    expect(text).toMatchObject({ status: { code: 2, message: 'words' } });
    expect(Buffer.from(bodies[0] as Uint8Array).includes('service.instance.id')).toBe(true);
  });
});
