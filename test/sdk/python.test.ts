import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv from 'ajv';
import { ContractServer } from './contract-server.ts';

type Json = Record<string, unknown>;

const folder = path.resolve(__dirname, '../../sdk/python');
const schema = JSON.parse(readFileSync(path.resolve(__dirname, '../../docs/log-line.schema.json'), 'utf8'));
const validate = new Ajv().compile(schema);

/** Runs a program with the module at hand; what it prints, once it has ended with 0. */
async function python(program: string, ...args: string[]): Promise<string> {
  const child = spawn('python3', ['-B', '-W', 'error', '-c', program, ...args], {
    env: { ...process.env, PYTHONPATH: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, complained] = ['', ''];
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  child.stderr.on('data', (chunk) => {
    complained += chunk;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(complained);
  return said;
}

const FORMATTED = `
import logging, sys
from fleetgraph_logging import LineFormatter, trace
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(LineFormatter("translator-7", "agent-7"))
log = logging.getLogger("shop.cart")
log.addHandler(handler)
log.setLevel(1)
class CardError(Exception):
    code = "E_CARD"
class Broken:
    def __str__(self):
        raise ValueError("no")
round_trip = {}
round_trip["self"] = round_trip
with trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
    log.info("took %d ms", 7, extra={"order": 7, "password": "planted", "service": "mine"})
    try:
        try:
            {}["card"]
        except KeyError as cause:
            raise CardError("no card") from cause
    except CardError:
        log.exception("charge failed")
log.log(3, "fine")
log.debug("d")
log.warning("Bearer plantedplanted %s", "x")
log.critical("odd %d", "text")
log.error("broken", extra={"broken": Broken(), "round": round_trip, "nan": float("nan"), "big": 2**70, "bytes": b"x", "lone": "\\ud800", "requestId": 5})
log.error("", extra={"n": {"token": "planted", "list": [1, (2, 3)]}})
`;

test('a formatter writes lines of the published schema, whatever it is given, without secrets', async () => {
  const said = await python(FORMATTED);
  expect(said).not.toContain('planted');
  const lines = said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Json);
  expect(lines.filter((line) => !validate(line))).toEqual([]);
  expect(lines.map(({ level, event }) => [level, event])).toEqual([
    ['info', 'took 7 ms'],
    ['error', 'charge failed'],
    ['trace', 'fine'],
    ['debug', 'd'],
    ['warn', '[redacted] x'],
    ['fatal', 'odd %d'],
    ['error', 'broken'],
    ['error', 'nothing said'],
  ]);
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  expect(lines[0]).toMatchObject({
    service: 'translator-7',
    agentId: 'agent-7',
    traceId,
    order: 7,
    logger: 'shop.cart',
  });
  expect(lines[0]).toMatchObject({ 'fields.service': 'mine', password: '[redacted]' });
  expect(lines[1]).toMatchObject({ error: 'no card', errorType: 'CardError', errorCode: 'E_CARD', traceId });
  expect(lines[1]?.['stack']).toContain('KeyError');
  expect(lines[2]).not.toHaveProperty('traceId');
  expect(lines[6]).toMatchObject({ broken: '[unreadable]', nan: 'nan', big: String(2n ** 70n), requestId: '5' });
});

const SENT = `
import logging, sys
from fleetgraph_logging import FleetHandler, trace
url, count = sys.argv[1], int(sys.argv[2])
handler = FleetHandler(url, "key", service="translator-7", agent_id="agent-7", version="1.4", batch=50, flush_every=0.02)
log = logging.getLogger("shop")
log.addHandler(handler)
log.setLevel(logging.INFO)
with trace() as trace_id:
    for number in range(count):
        log.info("line %d", number)
    try:
        raise OSError(28, "disk full")
    except OSError:
        log.exception("failed")
handler.close()
print(trace_id, handler.dropped, handler.rejected)
`;

describe('a handler', () => {
  const server = new ContractServer();
  beforeAll(() => server.start());
  afterEach(() => {
    server.gate = () => undefined;
    server.bodies.length = 0;
  });
  afterAll(() => server.stop());

  test('sends every line once in order, the same body until it is answered', async () => {
    const attempts: string[] = [];
    server.gate = (place, body) => {
      attempts.push(`${place} ${body}`);
      if (attempts.length < 3) return 'cut';
      return attempts.length === 3 ? { status: 429, headers: { 'retry-after': '0' }, body: '' } : undefined;
    };
    const [traceId, dropped, rejected] = (await python(SENT, server.url, '200')).trim().split(' ');
    expect([dropped, rejected]).toEqual(['0', '0']);
    expect(new Set(attempts.slice(0, 4)).size).toBe(1);
    const records = server.records('logs');
    const told = records.map((record) => (record['body'] as Json)['stringValue']);
    expect(told).toEqual([...Array.from({ length: 200 }, (_, number) => `line ${number}`), 'failed']);
    expect(records.every((record) => record['traceId'] === traceId && record['severityNumber'])).toBe(true);
    const attributes = JSON.stringify(records.at(-1)?.['attributes']);
    for (const part of ['exception.type', 'OSError', 'exception.stacktrace', '"28"'])
      expect(attributes).toContain(part);
    const { resource } = (JSON.parse(server.bodies[0]?.body as string) as { resourceLogs: Json[] })
      .resourceLogs[0] as Json as {
      resource: { attributes: Json[] };
    };
    expect(resource.attributes.map(({ key }) => key)).toEqual(['service.name', 'service.version', 'fleet.agent.id']);
  });

  test('counts what is refused for good, and drops beyond its bound rather than wait', async () => {
    server.gate = () => ({ status: 403, body: '' });
    expect((await python(SENT, server.url, '9')).trim().split(' ').slice(1)).toEqual(['0', '10']);
    const full = `
import logging, time
from fleetgraph_logging import FleetHandler
handler = FleetHandler("http://127.0.0.1:9", "key", service="s", max_records=10, flush_every=0.01)
log = logging.getLogger("s")
log.addHandler(handler)
for number in range(2000):
    log.error("line")
assert handler.flush(0.05) is False
print(handler.dropped > 0)
handler._closed.set()
`;
    expect(await python(full)).toBe('True\n');
  });
});
