import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { costsOf, readProfile } from '../../lib/profile/index.ts';
import { connect } from '../../sdk/index.ts';
import { CommandOutcome } from '../../subgraphs/agents/entity/enums.ts';
import { expiryOf, type ProfileFacts, profileState } from '../../subgraphs/agents/service/profile-rules.ts';
import { Terminal } from '../cli/terminal.ts';
import { type AnyShape, callOf, type TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { type Front, OWNER_TOKEN, startFront } from './front.ts';
import {
  AgentsDriver,
  type MovableClock,
  movableClock,
  OPERATOR,
  startAgents,
  type TestAgent,
  VIEWER,
} from './support.ts';

const frame = (functionName: string, url = 'file:///app/work.js', lineNumber = 9) => ({
  functionName,
  url,
  lineNumber,
});
/** Ten looks, a millisecond each: root → work → burn, and a time of nothing. */
const CPU = {
  nodes: [
    { id: 1, callFrame: frame('(root)', '', -1), children: [2, 4] },
    { id: 2, callFrame: frame('work'), children: [3] },
    { id: 3, callFrame: frame('burn', 'file:///app/burn.js', 0) },
    { id: 4, callFrame: frame('(idle)', '', -1) },
  ],
  startTime: 0,
  endTime: 10_000,
  samples: [2, 3, 3, 3, 3, 3, 3, 4, 4, 2],
  timeDeltas: Array.from({ length: 10 }, () => 1_000),
};

describe('how far a profile is', () => {
  const askedMs = Date.parse('2026-01-01T00:00:00Z');
  const facts: ProfileFacts = {
    expiresAt: expiryOf(askedMs, 30),
    ...{ finishedAt: null, failure: null, outcome: null, result: null },
  };
  const at = (more: Partial<ProfileFacts>, afterMs = 0) => profileState({ ...facts, ...more }, askedMs + afterMs);
  const finishedAt = new Date(askedMs);

  test.each([
    ['ASKED', at({})],
    ['RUNNING', at({ outcome: CommandOutcome.DONE })],
    ['DONE', at({ outcome: CommandOutcome.DONE, finishedAt })],
    // What came in time is not lost by the time that passes.
    ['DONE', at({ outcome: CommandOutcome.DONE, finishedAt }, 1e9)],
    ['EXPIRED its agent was not there to take it', at({ outcome: CommandOutcome.EXPIRED })],
    ['EXPIRED its agent was not there to take it', at({}, 150_000)],
    ['EXPIRED it was begun, and nothing came of it', at({ outcome: CommandOutcome.DONE }, 150_000)],
    ['FAILED too large', at({ outcome: CommandOutcome.DONE, finishedAt, failure: 'too large' })],
    ['FAILED no inspector', at({ outcome: CommandOutcome.FAILED, result: { message: 'no inspector' } })],
    ['REFUSED busy', at({ outcome: CommandOutcome.REFUSED, result: { message: 'busy' } })],
    ['REFUSED its agent does not say why', at({ outcome: CommandOutcome.REFUSED, result: 7 })],
    [
      'REFUSED its SDK is older than profiles: bring it up to date',
      at({ outcome: CommandOutcome.REFUSED, result: { message: 'this agent knows no command profile' } }),
    ],
  ])('%s', (told, { state, reason }) => expect([state, ...(reason ? [reason] : [])].join(' ')).toBe(told));
});

describe('the profiles of an agent', () => {
  let house: TestHouse;
  let driver: AgentsDriver;
  let clock: MovableClock;
  let front: Front;
  beforeAll(async () => {
    clock = movableClock();
    house = await startAgents({ clock, settings: { FLEET_BEAT_MS: 200, FLEET_PROFILES_KEPT: 2 } });
    driver = new AgentsDriver(house);
    front = await startFront(house);
  });
  afterAll(async () => {
    await front.stop();
    await house.stop();
  });

  const ask = async (id: string, more: object = {}, principal = OPERATOR): Promise<AnyShape> =>
    (
      await driver.do(
        `mutation ($input: ProfileAgentInput!) { profileAgent(input: $input) {
           profile { id state } userErrors { code message field } auditEntry { id } } }`,
        { input: { id, kind: 'CPU', seconds: 5, ...more } },
        { principal },
      )
    ).profileAgent;
  const look = async (id: string): Promise<AnyShape> =>
    (
      await driver.do(
        'query ($id: ID!) { agentProfile(id: $id) { kind state reason seconds samples total sizeBytes top { name file line self total } } }',
        { id },
        { principal: OPERATOR },
      )
    ).agentProfile;
  const bring = async (agent: TestAgent, body: object | string, principal = agent.itself) => {
    const sent = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await house.client.send('POST /v1/profiles', { call: callOf({ principal }), body: sent });
    return { status: answer.status, code: JSON.parse(answer.body.toString()).errors?.[0].extensions.code };
  };
  const file = (id: string, principal = OPERATOR) =>
    house.client.send(`GET /v1/profiles?id=${id}`, { call: callOf({ principal }) });
  const complete = (agent: TestAgent, command: AnyShape, outcome: string, result: unknown = null) =>
    driver.do(
      'mutation ($input: CompleteCommandInput!) { completeCommand(input: $input) { userErrors { message } } }',
      { input: { id: command.id, fence: command.fence, outcome, result } },
      { principal: agent.itself },
    );

  test('is asked by its mail, brought by itself, shown with its costliest functions, and in its trail and its story', async () => {
    const agent = await driver.register();
    const { profile, userErrors } = await ask(agent.id);
    expect({ state: profile.state, userErrors }).toEqual({ state: 'ASKED', userErrors: [] });
    const { commands } = await driver.beat(agent);
    expect(commands).toEqual([
      expect.objectContaining({ name: 'profile', arguments: { profile: profile.id, kind: 'CPU', seconds: 5 } }),
    ]);
    await complete(agent, commands[0], 'DONE', { begun: true });
    expect(await look(profile.id)).toMatchObject({ state: 'RUNNING', samples: null, top: [] });
    expect(await bring(agent, { profile: profile.id, content: CPU })).toEqual({ status: 200 });
    const made = await look(profile.id);
    expect(made).toEqual({
      ...{ kind: 'CPU', state: 'DONE', reason: null, seconds: 5, samples: 10, total: 7_000 },
      sizeBytes: expect.any(Number),
      top: [
        { name: 'burn', file: '/app/burn.js', line: 1, self: 6 / 7, total: 6 / 7 },
        { name: 'work', file: '/app/work.js', line: 10, self: 1 / 7, total: 1 },
      ],
    });
    expect(JSON.parse((await file(profile.id)).body.toString())).toEqual(CPU);
    // The same again is no second one.
    expect(await bring(agent, { profile: profile.id, content: CPU })).toEqual({ status: 200 });
    const entries = await driver.entries(agent.id);
    const told = entries.filter(({ action }) => /profile|completeCommand/i.test(action));
    expect(told.map(({ action, outcome, actor }) => [action, outcome, actor.kind])).toEqual([
      ['profileAgent', 'SUCCEEDED', 'PERSON'],
      ['completeCommand', 'SUCCEEDED', 'AGENT'],
      ['agent.profile.taken', 'SUCCEEDED', 'AGENT'],
    ]);
    const { events } = await driver.agent(agent.id, 'events(first: 10) { nodes { name detail } }');
    expect(events.nodes.find(({ name }: { name: string }) => name === 'profile.ended')).toEqual({
      name: 'profile.ended',
      detail: { profile: profile.id, kind: 'CPU', samples: 10, sizeBytes: made.sizeBytes },
    });
  });

  test('is refused while another is made, for wrong words, and to whoever is no operator', async () => {
    const agent = await driver.register();
    expect((await ask(agent.id, { seconds: 61 })).userErrors).toEqual([
      { code: 'BAD_INPUT', message: 'seconds is 1 to 60', field: ['seconds'] },
    ]);
    expect((await ask(agent.id, { engine: '../py' })).userErrors[0]).toMatchObject({
      code: 'BAD_INPUT',
      field: ['engine'],
    });
    expect((await ask('QWdlbnQ6MDE5MDAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAx')).userErrors[0].code).toBe(
      'NOT_FOUND',
    );
    const first = await ask(agent.id, { clientMutationId: 'once' });
    expect((await ask(agent.id, { clientMutationId: 'once' })).profile.id).toBe(first.profile.id);
    expect((await ask(agent.id)).userErrors[0].code).toBe('CONFLICT');
    const denied = await house.ask(
      'query ($id: ID!) { agentProfile(id: $id) { state } }',
      { id: first.profile.id },
      { principal: VIEWER },
    );
    expect(denied.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    expect((await file(first.profile.id, VIEWER)).status).toBe(403);
    expect((await file(first.profile.id)).status).toBe(404);
    // Lost: another may be asked for.
    clock.skip(130_000);
    expect(await look(first.profile.id)).toMatchObject({ state: 'EXPIRED' });
    expect((await ask(agent.id)).userErrors).toEqual([]);
  });

  test('is taken from nobody else, and only when it is one', async () => {
    const [agent, other] = [await driver.register(), await driver.register()];
    const { profile } = await ask(agent.id);
    const told = { profile: profile.id, content: CPU };
    expect(await bring(other, told)).toEqual({ status: 403, code: 'FORBIDDEN' });
    expect(await bring(agent, told, OPERATOR)).toEqual({ status: 403, code: 'FORBIDDEN' });
    expect(await bring(agent, { ...told, profile: 'nobody' })).toEqual({ status: 400, code: 'BAD_INPUT' });
    expect(await bring(agent, '{')).toEqual({ status: 400, code: 'BAD_INPUT' });
    const circle = [
      { id: 1, callFrame: frame('a'), children: [2] },
      { id: 2, callFrame: frame('b'), children: [1] },
    ];
    const deep = Array.from({ length: 500 }, (_, id) => ({
      id,
      callFrame: frame('f'),
      children: id < 499 ? [id + 1] : [],
    }));
    for (const content of [
      ...[null, [], {}, { head: {} }, { ...CPU, nodes: circle }, { ...CPU, nodes: deep, samples: [], timeDeltas: [] }],
      ...[
        { ...CPU, timeDeltas: [1] },
        { ...CPU, samples: CPU.samples.map(() => 99) },
      ],
    ])
      expect(await bring(agent, { ...told, content })).toEqual({ status: 400, code: 'BAD_INPUT' });
    expect(await bring(agent, { profile: profile.id, error: 'no inspector here' })).toEqual({ status: 200 });
    expect(await look(profile.id)).toMatchObject({ state: 'FAILED', reason: 'no inspector here' });
  });

  test('are kept so many, and so long', async () => {
    const agent = await driver.register();
    const made: string[] = [];
    for (let count = 0; count < 3; count++) {
      const { profile } = await ask(agent.id);
      await bring(agent, { profile: profile.id, content: CPU });
      made.push(profile.id);
    }
    const listed = async () =>
      (await driver.agent(agent.id, 'profiles { id state }')).profiles.map(({ id }: { id: string }) => id);
    expect(await listed()).toEqual([made[2], made[1]]);
    expect(await look(made[0] as string)).toBeNull();
    clock.skip(15 * 86_400_000);
    await ask(agent.id);
    expect((await listed()).length).toBe(2);
  });

  test('an agent of our SDK profiles itself while it works; fleet profile writes the files and prints the list', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-profile-'));
    const terminal = new Terminal();
    const before = { ...process.env };
    Object.assign(process.env, { FLEET_URL: front.url, FLEET_TOKEN: OWNER_TOKEN });
    const definition = { name: `burner-${clock.uuid()}`, kind: 'worker', version: '1.0.0' };
    const agent = await connect({ url: front.url, token: OWNER_TOKEN, ...definition });
    let isOver = false;
    const working = (async () => {
      while (!isOver) {
        burnForTheTest(4);
        await new Promise((resolve) => setTimeout(resolve, 12));
      }
    })();
    try {
      const out = path.join(folder, 'one.cpuprofile');
      const profiled = terminal.run('profile', agent.name, '--seconds', '1', '--out', out, '--json');
      // It obeys while it is profiled.
      const { id } = agent;
      await until(async () => (await driver.agent(id, 'profiles { state }')).profiles[0]?.state === 'RUNNING');
      await driver.act('pause', id);
      await until(() => agent.state === 'PAUSED');
      const { out: text, err, code } = await profiled;
      expect({ err, code }).toEqual({ err: expect.stringContaining(out), code: 0 });
      const answer = JSON.parse(text);
      // By its file: what V8 had inlined before the profiler came counts for its caller.
      expect(answer.top.slice(0, 5).map(({ file }: { file: string }) => file)).toContain(__filename);
      const content = JSON.parse(readFileSync(out, 'utf8'));
      expect(costsOf(readProfile('CPU', content)).some(({ file }) => file === __filename)).toBe(true);
      expect(readFileSync(path.join(folder, 'one.html'), 'utf8')).toContain(__filename);
      const heap = path.join(folder, 'two.heapprofile');
      const shown = await terminal.run('profile', agent.name, '--heap', '--seconds', '1', '--out', heap, '--top', '3');
      expect(shown).toMatchObject({
        code: 0,
        out: expect.stringMatching(/allocated, \d+ samples\n *SELF +TOTAL +FUNCTION +WHERE/),
      });
      const compared = await terminal.run('profile', agent.name, '--seconds', '1', '--out', out, '--baseline', 'last');
      expect(compared).toMatchObject({ code: 0, out: expect.stringMatching(/SELF +CHANGE +TOTAL +CHANGE/) });
      const refused = await terminal.run('profile', agent.name, '--seconds', '1', '--engine', 'py-spy');
      expect(refused).toMatchObject({
        code: 5,
        err: expect.stringContaining('py-spy is nothing that Node.js can profile with'),
      });
    } finally {
      isOver = true;
      await working;
      await agent.close();
      process.env = before;
      terminal.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

function burnForTheTest(ms: number): string[] {
  const kept: string[] = [];
  for (const until = performance.now() + ms; performance.now() < until; ) kept.push(`${Math.sqrt(kept.length)}`);
  return kept;
}

const PROFILED = `
import gzip, json, threading, time
from fleetgraph import CommandRefused
from fleetgraph._profiler import begin_profile
over = threading.Event()
def burn():
    while not over.is_set():
        sum(range(500))
def doze():
    while not over.is_set():
        time.sleep(0.02)
def hoard():
    while not over.is_set():
        kept.append(bytearray(50_000))
        time.sleep(0.05)
kept = []
for run in (burn, doze, hoard):
    threading.Thread(target=run, name=run.__name__).start()
for kind in ("CPU", "HEAP"):
    told = threading.Event()
    bodies = []
    def deliver(body):
        bodies.append(json.loads(gzip.decompress(body)))
        told.set()
    asked = {"profile": "p-1", "kind": kind, "seconds": 1}
    begin_profile(asked, deliver)
    refused = []
    for other in ({}, {"seconds": 61}, {"engine": "perf"}):
        try:
            begin_profile({**asked, **other}, deliver)
        except CommandRefused as why:
            refused.append(str(why))
    told.wait()
    time.sleep(0.1)
    print(json.dumps([refused, bodies[0]]))
over.set()
`;

test('in Python a profile counts the processor time of each thread, and what is held of what was allocated', async () => {
  const said = (
    await promisify(execFile)('python3', ['-B', '-W', 'error', '-c', PROFILED], {
      env: { ...process.env, PYTHONPATH: path.resolve(__dirname, '../../sdk/python') },
    })
  ).stdout

    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const [[refused, cpu], [, heap]] = said;
  expect(refused).toEqual([
    'another profile of this process is being made',
    'seconds is 1 to 60',
    'perf is nothing that Python can profile CPU with',
  ]);
  expect([cpu.profile, heap.profile]).toEqual(['p-1', 'p-1']);
  const time = costsOf(readProfile('CPU', cpu.content));
  expect(time[0]).toMatchObject({ name: 'burn', file: '<string>' });
  const costOf = (name: string) => time.find((cost) => cost.name === name)?.self ?? 0;
  expect(costOf('doze')).toBeLessThan(costOf('burn') / 2);
  expect(costsOf(readProfile('HEAP', heap.content)).some(({ self }) => self >= 50_000)).toBe(true);
});
