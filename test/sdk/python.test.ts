import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv from 'ajv';
import { HOOKS } from '../../sdk/index.ts';
import { BEAT_ONE, COMPLETE, CONFIG, REGISTER } from '../../sdk/wire/operations.ts';
import { until } from '../support/until.ts';
import { ContractServer, command } from './contract-server.ts';

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
  if (code !== 0 || complained.includes('Traceback')) throw new Error(complained);
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
logging.shutdown()
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
handler._stopping.set()
`;
    expect(await python(full)).toBe('True\n');
  });
});

const LIVED = `
import sys, threading
import fleetgraph
from fleetgraph import CommandRefused, HOOKS
url = sys.argv[1]
scout = fleetgraph.define_kind("scout", version="1.0.0", config={"depth": 1}, capabilities=["look"])
ended, over = [], threading.Event()

@scout.part
def store(agent):
    yield {"of": agent.name, "seen": []}
    ended.append("store")

@scout.part
def eyes(store, config):
    yield lambda at: store["seen"].append(at) or {"seen": len(store["seen"]), "depth": config["depth"]}
    ended.append("eyes")

for name in HOOKS:
    scout.hook(name)(lambda context: None)

@scout.command("look")
def look(args, eyes, agent):
    with agent.task("look around", region="mars") as span:
        span.spend("openai", "gpt-5-mini", 3, 4)
        agent.log.info("looking", extra={"at": args["at"]})
        agent.counter("looks_total", outcome="done")
        agent.gauge("eyes_open", 2)
        return {**eyes(args["at"]), "traceparent": span.traceparent}

@scout.command("decline")
def decline():
    raise CommandRefused("will not")

@scout.command("fail")
def fail():
    raise ValueError("cannot")

@scout.command("finish")
def finish():
    over.set()

@scout.check
def disk(store):
    return "full" if store["seen"] else True

agent = scout.create("scout-py", url=url, token="enrol", labels={"team": "atlas"})
agent.on_upgrade(lambda asked: None)
agent.event("checkpoint", {"step": 3})
agent.start()
over.wait(50)
agent.close()
print(agent.state, agent.definition["version"], agent.config, ended)
`;

describe('an agent', () => {
  const server = new ContractServer();
  beforeAll(() => server.start());
  afterEach(() => {
    server.gate = () => undefined;
    for (const list of [server.bodies, server.calls, server.completed]) list.length = 0;
    server.agents.clear();
  });
  afterAll(() => server.stop());
  const beats = () => server.agent('scout-py').beats;
  const events = () => beats().flatMap((beat) => (beat['events'] as Json[] | undefined) ?? []);
  const ended = (id: string) => until(() => server.completed.find((each) => each['id'] === id));
  const ask = (name: string, args: Json = {}) => {
    server.agent('scout-py').commands.push(command('id-scout-py', name, args));
    return ended(`command-${name}`);
  };

  test('lives as one of the TypeScript SDK does, in the same words', async () => {
    const program = python(LIVED, server.url);
    await until(() => server.agents.size === 1 && beats().at(-1)?.['state'] === 'RUNNING');
    const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect(await ask('look', { at: 'Mars', traceparent: parent })).toMatchObject({
      fence: 'fence-command-look',
      outcome: 'DONE',
      result: { seen: 1, depth: 1, traceparent: expect.stringContaining('0af7651916cd43dd8448eb211c80319c') },
      clientMutationId: 'complete-command-look',
    });
    expect(await ask('decline')).toMatchObject({ outcome: 'REFUSED', result: { message: 'will not' } });
    expect(await ask('fail')).toMatchObject({ outcome: 'FAILED', result: { message: 'cannot' } });
    expect(await ask('unheard-of')).toMatchObject({ outcome: 'REFUSED' });
    Object.assign(server.agent('scout-py'), { config: { depth: 2 }, configVersion: 2 });
    await until(() => beats().at(-1)?.['configVersion'] === 2);
    for (const [action, state] of [
      ['pause', 'PAUSED'],
      ['resume', 'RUNNING'],
    ] as const) {
      server.agent('scout-py').desiredState = state;
      expect(await ask(action)).toMatchObject({ outcome: 'DONE', result: { state } });
    }
    expect(await ask('upgrade', { version: '1.1.0' })).toMatchObject({ result: { version: '1.1.0' } });
    expect(await ask('restart')).toMatchObject({ outcome: 'DONE', result: { state: 'RUNNING' } });
    expect(beats().at(-1)).toMatchObject({ checks: [{ name: 'disk', ok: false, message: 'full' }] });
    await ask('finish');
    expect(await program).toBe("STOPPED 1.1.0 {'depth': 2} ['eyes', 'store']\n");
    expect(beats().at(-1)).toMatchObject({ state: 'STOPPED', version: '1.1.0' });
    expect(new Set(events().map(({ name }) => name))).toEqual(
      new Set([...HOOKS.map((hook) => `hook.${hook}`), 'own.checkpoint']),
    );
    expect(new Set(events().map(({ id }) => id)).size).toBe(events().length);
    const words = new Set(server.calls.map(({ query }) => query));
    expect(words).toEqual(new Set([REGISTER, BEAT_ONE, COMPLETE, CONFIG]));
    expect(server.calls[0]?.variables['input']).toMatchObject({ capabilities: ['look'], labels: { team: 'atlas' } });
    const [inner, outer] = server.records('traces');
    expect(inner).toMatchObject({ name: 'look around', parentSpanId: outer?.['spanId'] });
    expect(outer).toMatchObject({ name: 'command look', parentSpanId: 'b7ad6b7169203331' });
    expect(JSON.stringify(inner)).toContain('gen_ai.usage.output_tokens');
    const line = server.records('logs').find((each) => JSON.stringify(each).includes('looking'));
    expect(line).toMatchObject({ traceId: outer?.['traceId'], spanId: inner?.['spanId'] });
    expect(
      server
        .records('metrics')
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['eyes_open', 'looks_total']);
  });

  test('goes without events where the platform is older than they are', async () => {
    const refusals: string[] = [];
    server.gate = (_, body) => {
      if (!body.includes('"events"')) return undefined;
      refusals.push(body);
      return {
        status: 400,
        body: { errors: [{ message: 'Field "events" is not defined by type "AgentBeatInput".' }] },
      };
    };
    const program = python(LIVED, server.url);
    await until(() => server.agents.size === 1 && beats().at(-1)?.['state'] === 'RUNNING');
    await ask('finish');
    expect(await program).toContain('STOPPED');
    expect(refusals).toHaveLength(1);
  });

  test('hooks keep their time and policy, parts name what they lack', async () => {
    const program = `
import time
from fleetgraph._hooks import Hooks
from fleetgraph._kind import PartError, _Parts
told = []
hooks = Hooks(lambda hook, report, ignored: told.append((hook, report["outcome"], report.get("attempts"), ignored is not None)))
hooks.add("beforeStart", lambda context: context.over.wait(5), timeout=0.02)
try:
    hooks.run("beforeStart")
except Exception as error:
    print(error)
tries = []
def second(context):
    tries.append(1)
    if len(tries) < 2:
        raise ValueError("not yet")
hooks.add("beforePause", second, retry=1)
hooks.run("beforePause")
order = []
for number in (1, 2):
    hooks.add("afterStop", lambda context, number=number: order.append(number) or 1 / 0)
hooks.run("afterStop")
print(told, order)
parts = _Parts({"a": lambda b: b, "b": lambda a: a, "c": lambda d: d}, {})
for name in "ac":
    try:
        parts.part(name)
    except PartError as error:
        print(error)
`;
    expect((await python(program)).trim().split('\n')).toEqual([
      'beforeStart took longer than 20 ms',
      "[('beforeStart', 'timedOut', None, False), ('beforePause', 'done', 2, False), ('afterStop', 'failed', None, True), ('afterStop', 'failed', None, True)] [2, 1]",
      'these need each other: a → b → a',
      'nothing provides d: c → d',
    ]);
  });

  test('it is refused as the platform says, and asks for a token anew where one was shown before', async () => {
    const refused = `
import sys, fleetgraph
try:
    fleetgraph.connect(sys.argv[1], "wrong", name="a", kind="b", version="1")
except fleetgraph.FleetFailure as failure:
    print(failure.code, failure.retryable)
`;
    server.gate = () => ({
      status: 401,
      body: { errors: [{ message: 'who', extensions: { code: 'UNAUTHENTICATED' } }] },
    });
    expect(await python(refused, server.url)).toBe('UNAUTHENTICATED False\n');
    server.gate = () => undefined;
    const again = `
import sys, fleetgraph
for _ in range(2):
    agent = fleetgraph.connect(sys.argv[1], "enrol", name="a", kind="b", version="1")
print(agent._identity["token"])
agent.close(0.2)
`;
    expect((await python(again, server.url)).trim()).toBe(server.agent('a').token);
    expect(server.calls.map(({ query }) => /\w+ (\w+)/.exec(query)?.[1]).slice(0, 3)).toEqual([
      'RegisterAgent',
      'RegisterAgent',
      'RotateAgentToken',
    ]);
  });
});
