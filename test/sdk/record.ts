import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { connect, SDK } from '../../sdk/index.ts';
import { record } from './recording.ts';

/** Writes down what this version of the SDK says: `node dist/test/sdk/record.js`, once for each version that is released. */
async function main(): Promise<void> {
  const file = path.join(__dirname, '../../../test/sdk/conversations', `${SDK.replace('/', '-')}.json`);
  writeFileSync(file, `${JSON.stringify(await record(SDK, connect), null, 2)}\n`);
}

void main();
