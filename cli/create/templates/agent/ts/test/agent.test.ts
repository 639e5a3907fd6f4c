import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { BadConfig, type TestAgent, testAgent } from 'fleetgraph/sdk/factory';
import { agentKind, type Task, takeTasks } from '../src/agent.js';

// A whole agent with nobody at the other end: no platform is needed. What the configuration says holds from its start.
const open: TestAgent<Task, { text: string }, unknown>[] = [];
function started(config: object = {}) {
  const agent = testAgent(agentKind, { config });
  takeTasks(agent.built);
  open.push(agent);
  return agent;
}
afterEach(async () => {
  for (const agent of open.splice(0)) await agent.close();
});

test('it starts, and says so', async () => {
  const agent = started();
  assert.equal(await agent.start(), 'RUNNING');
  assert.ok(agent.lines.some(({ event, greeting }) => event === 'ready' && greeting === 'Hello'));
});

test('it greets as it is configured', async () => {
  const agent = started({ greeting: 'Good day' });
  await agent.start();
  assert.deepEqual(await agent.do({ name: 'Ada' }), { text: 'Good day, Ada!' });
});

test('its command does a task, and refuses what is none', async () => {
  const agent = started();
  await agent.start();
  assert.deepEqual(await agent.command('greet', { name: 'Ada' }), { outcome: 'DONE', result: { text: 'Hello, Ada!' } });
  assert.equal((await agent.command('greet', {})).outcome, 'REFUSED');
});

test('a configuration takes effect, and one that does not fit is refused', async () => {
  const agent = started();
  await agent.start();
  assert.equal((await agent.configure({ greeting: 'Hi' })).outcome, 'DONE');
  assert.deepEqual(await agent.do({ name: 'Ada' }), { text: 'Hi, Ada!' });
  assert.equal((await agent.configure({ greeting: 7 })).outcome, 'FAILED');
  assert.throws(() => testAgent(agentKind, { config: { maxLetters: 0 } }), BadConfig);
});

test('its check tells of tasks that fail one after the other', async () => {
  const agent = started({ maxLetters: 2 });
  await agent.start();
  const check = () => agent.agent.beat().checks?.find(({ name }) => name === 'tasks');
  for (let task = 0; task < 3; task++) await assert.rejects(agent.do({ name: 'too long' }), RangeError);
  assert.deepEqual(check(), { name: 'tasks', ok: false, message: '3 tasks failed in a row' });
  await agent.do({ name: 'Al' });
  assert.equal(check()?.ok, true);
});
