import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { startTestPlatform, type TestPlatform } from '../support/platform.ts';

const readme = readFileSync(path.resolve(__dirname, '../../README.md'), 'utf8');
const commands = [...readme.matchAll(/```sh\n(curl [\s\S]*?)```/g)].map((match) => match[1] as string);

describe('the README', () => {
  let platform: TestPlatform;
  beforeAll(async () => {
    platform = await startTestPlatform();
  });
  afterAll(() => platform.stop());

  /** Runs a command as written, but for the port; ends it once it has said something that `enough` accepts. */
  function run(command: string, enough: (said: string) => boolean): Promise<string> {
    return new Promise((resolve) => {
      const shell = spawn('bash', ['-c', `exec ${command.replaceAll('http://127.0.0.1:4000', platform.url)}`], {
        env: { ...process.env, FLEET_TOKEN: platform.token },
      });
      let said = '';
      shell.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (enough(said)) shell.kill();
      });
      shell.once('close', () => resolve(said));
    });
  }

  test('has a query, a mutation and a subscription', () => {
    expect(commands).toHaveLength(3);
  });

  test('its query and mutation answer without errors, as written', async () => {
    for (const command of commands.slice(0, 2)) {
      const answer = JSON.parse(await run(command, () => false));
      expect(answer).toEqual({ data: expect.anything() });
    }
  });

  test('its subscription tells of the next alert', async () => {
    const live = run(commands[2] as string, (said) => {
      if (said.startsWith(':') && !said.includes('event: next')) raise();
      return said.includes('event: next');
    });
    const raise = () =>
      void platform.ask('mutation { raiseAlert(input: { name: "readme", severity: INFO }) { userErrors { code } } }');
    expect(await live).toContain('"name":"readme"');
  });

  test('names documents that exist', () => {
    const linked = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1] as string);
    expect(linked.length).toBeGreaterThan(10);
    expect(linked.filter((link) => !existsSync(path.resolve(__dirname, '../..', link)))).toEqual([]);
  });
});
