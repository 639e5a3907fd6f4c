// Two copies of graphql break every schema that crosses them ("another module or realm").
import { readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const copies = Object.keys(packages).filter((key) => /(?:^|\/)node_modules\/graphql$/.test(key));
if (copies.length !== 1) {
  console.error(`expected one graphql, the lock has ${copies.length}: ${copies.join(', ')}`);
  process.exit(1);
}
