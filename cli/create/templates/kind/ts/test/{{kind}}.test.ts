import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testAgent } from 'fleetgraph/sdk/factory';
import { kind } from '../src/{{kind}}.js';

test('{{kind}} starts, and does a task as it is configured', async () => {
  const agent = testAgent(kind, { config: { depth: 2 } });
  assert.equal(await agent.start(), 'RUNNING');
  assert.deepEqual(await agent.do({ words: ['a', 'b', 'c'] }), { taken: ['a', 'b'] });
  assert.equal((await agent.configure({ depth: 10 })).outcome, 'FAILED');
  await agent.close();
});
