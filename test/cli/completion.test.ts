import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { typedLine } from '../../cli/completion/words.ts';
import { ContractServer } from '../sdk/contract-server.ts';
import { Terminal } from './terminal.ts';

describe('completion in a shell', () => {
  const server = new ContractServer();
  const terminal = new Terminal();
  const before = { ...process.env };
  let asked: string[] = [];

  beforeAll(async () => {
    await server.start();
    Object.assign(process.env, { FLEET_URL: server.url, FLEET_TOKEN: 'token' });
    server.fields['logCompletions'] = ({ variables }) => {
      const query = String(variables['query']);
      asked.push(query);
      const from = query.lastIndexOf(':') + 1 || query.lastIndexOf(' ') + 1;
      return ['checkout', '"check in"'].map((text) => ({ text, from }));
    };
  });
  beforeEach(() => {
    asked = [];
  });
  afterAll(async () => {
    process.env = before;
    terminal.close();
    await server.stop();
  });

  const texts = async (line: string) => {
    const { out, code } = await terminal.run('complete', '--', line);
    expect(code).toBe(0);
    return out
      .split('\n')
      .filter(Boolean)
      .map((each) => each.split('\t')[0]);
  };

  test.each([
    ['fleet lo', ['logs', 'log-metrics']],
    ['fleet searches ', ['save', 'delete']],
    ['fleet logs --fol', ['--follow']],
    ['fleet logs export --format ', ['ndjson', 'csv', 'parquet']],
    ['fleet logs export --format=c', ['--format=csv']],
    ['fleet logs --limit ', []],
    ['fleet completion ', []],
    ['fleet agents --js', ['--json']],
    ['fleet nonsense ', []],
    ['fleet logs -f slow service:che', ['service:checkout', 'service:"check in"']],
    ["fleet logs 'slow service:che", ['slow service:checkout', 'slow service:"check in"']],
    ['fleet searches save mine service:c', ['service:checkout', 'service:"check in"']],
    ['fleet searches save min', []],
  ])('%s goes on with %j', async (line, expected) => {
    expect(await texts(line)).toEqual(expected);
  });

  test('a search is asked with all its words; without an answer nothing is offered, and nothing is said', async () => {
    await texts('fleet logs --service a,b "rate limit" service:ch');
    expect(asked).toEqual(['rate limit service:ch']);
    process.env['FLEET_URL'] = 'http://127.0.0.1:1';
    expect(await terminal.run('complete', '--', 'fleet logs service:ch')).toEqual({ out: '', err: '', code: 0 });
    process.env['FLEET_URL'] = server.url;
  });

  test('a line is parted as a shell parts it', () => {
    expect(typedLine(`fleet logs "a \\"b" c'd e'f g\\ h "open (`)).toEqual({
      words: ['fleet', 'logs', 'a "b', 'cd ef', 'g h'],
      last: 'open (',
    });
    expect(typedLine('fleet ')).toEqual({ words: ['fleet'], last: '' });
  });

  test('bash: what it has of a word already is taken off, and what it would part is escaped', async () => {
    const { out: script } = await terminal.run('completion', 'bash');
    const folder = mkdtempSync(path.join(tmpdir(), 'fleet-bash-'));
    const fleet = path.join(folder, 'fleet');
    writeFileSync(
      fleet,
      `#!/bin/sh\nprintf 'service:checkout\\twhat it is\\nservice:"check in"\\n'\necho "$3" > ${folder}/asked\n`,
    );
    chmodSync(fleet, 0o755);
    const line = 'fleet logs service:che';
    const asking = `${script}\nCOMP_LINE='${line}' COMP_POINT=${line.length} COMP_WORDS=(${fleet} logs service : che)\n_fleet\nprintf '<%s>' "\${COMPREPLY[@]}"; cat ${folder}/asked; complete -p fleet`;
    const { stdout, status } = spawnSync('bash', ['--norc', '-c', asking], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, `<checkout><\\"check\\ in\\">${line}\ncomplete -o default -F _fleet fleet\n`]);
  });

  /** A shell that is given the script, and a `fleet` that offers two values. */
  const shells: Record<string, (script: string, line: string) => string> = {
    // Without its editor: what is handed to it is written out instead.
    zsh: (script, line) => `compdef() { }; compadd() { print -r -- "<$@>" "\${(@P)@[-1]}" }
${script.replace(/^#compdef.*$/m, '')}
words=(fleet); LBUFFER='${line}'; _fleet`,
    fish: (script, line) => `${script}\ncomplete -C '${line}'`,
  };
  test.each(Object.entries(shells))('%s offers what comes back, where there is that shell', async (shell, asking) => {
    if (spawnSync(shell, ['--version']).error) return;
    const { out: script } = await terminal.run('completion', shell);
    const folder = mkdtempSync(path.join(tmpdir(), `fleet-${shell}-`));
    const fleet = path.join(folder, 'fleet');
    writeFileSync(
      fleet,
      `#!/bin/sh\nprintf 'service:checkout\\twhat it is\\nservice:\\n'\necho "$3" > ${folder}/asked\n`,
    );
    chmodSync(fleet, 0o755);
    const env = { ...before, PATH: `${folder}:${before['PATH']}`, HOME: folder };
    const plain = shell === 'zsh' ? ['-f', '-c'] : ['--no-config', '-c'];
    const line = 'fleet logs service:';
    const { stdout, stderr } = spawnSync(shell, [...plain, asking(script, line)], { encoding: 'utf8', env });
    expect(stderr).toBe('');
    expect(readFileSync(path.join(folder, 'asked'), 'utf8')).toBe(`${line}\n`);
    expect(stdout.trim().split('\n')).toEqual(
      shell === 'zsh'
        ? ['<-a whole> service:checkout', '<-S  -a begun> service:']
        : ['service:', 'service:checkout\twhat it is'],
    );
  });

  test.each(['zsh', 'fish'])('%s has a script too', async (shell) => {
    const { out, code } = await terminal.run('completion', shell);
    expect([code, out.includes('complete --')]).toEqual([0, true]);
    expect((await terminal.run('completion', 'tcsh')).code).toBe(2);
  });
});
