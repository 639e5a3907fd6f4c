import { emptyHouseDatabase } from '../support/database.ts';
import { bodies, INGEST, ingest, LOGS, startLogsHouse } from './support.ts';

test('a new process has what the old one acknowledged, knows its batches, and resumes its tails', async () => {
  const databaseUrl = await emptyHouseDatabase('logs');
  const first = await startLogsHouse({ databaseUrl });
  await ingest(first, [{ body: 'before' }], 'batch');
  const { changeCursor } = (await first.ask(LOGS)).data.logs;
  const timed = JSON.stringify({
    resourceLogs: [{ scopeLogs: [{ logRecords: [{ timeUnixNano: '5', body: { stringValue: 'otlp' } }] }] }],
  });
  const call = {
    principal: { id: 'c', kind: 'SCRIPT' as const, name: 'c', scopes: ['operator' as const] },
    requestId: 'r',
  };
  expect((await first.client.send('POST /v1/logs', { call, body: timed })).status).toBe(200);
  await first.close();

  const second = await startLogsHouse({ databaseUrl, folder: first.folder });
  expect((await second.client.send('POST /v1/logs', { call, body: timed })).status).toBe(200);
  const input = { records: [{ severity: 'INFO', service: 'tests', body: 'before' }], batchId: 'batch' };
  expect((await second.ask(INGEST, { input })).data.ingestLogs.accepted).toBe(1);
  await ingest(second, [{ body: 'after' }]);
  expect(await bodies(second, {})).toEqual(['after', 'before', 'otlp']);

  const resumed = await second.ask('query { logs { totalCount changeCursor } }');
  expect(resumed.data.logs.totalCount).toBe(3);
  expect(resumed.data.logs.changeCursor).not.toBe(changeCursor);
  await expect(second.subgraph.ready?.()).resolves.toBeUndefined();
  await second.close();
});
