import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { ContractServer } from '../../sdk/contract-server.ts';
import { builtOnce } from '../../support/build.ts';
import { Terminal } from '../terminal.ts';

const VERSION = { version: '1.0.0', configSchema: { type: 'object' }, defaults: { depth: 1 } };

describe('fleet create', () => {
  const server = new ContractServer();
  const before = { ...process.env };
  const home = process.cwd();
  let terminal: Terminal;
  const at = (...parts: string[]) => path.join(terminal.root, ...parts);
  const read = (...parts: string[]) => readFileSync(at(...parts), 'utf8');
  const create = (...words: string[]) => terminal.run('create', ...words);

  // The SDK is packed as it was built.
  beforeAll(() => builtOnce(), 180_000);
  beforeAll(() => server.start());
  beforeEach(() => {
    terminal = new Terminal();
    process.chdir(terminal.root);
    process.env['FLEET_URL'] = server.url;
    delete process.env['FLEET_TOKEN'];
    delete process.env['FLEET_DATA'];
    Object.assign(server.fields, {
      agentVersions: () => [VERSION],
      publishAgentVersion: () => ({ userErrors: [] }),
      applyAlertRule: () => ({ rule: { name: 'r', version: 1 }, changes: [{ op: 'add' }], userErrors: [] }),
    });
  });
  afterEach(() => {
    process.chdir(home);
    terminal.close();
  });
  afterAll(async () => {
    process.env = before;
    await server.stop();
  });

  describe('asks', () => {
    test('on a terminal for what flags did not say, again after an answer that cannot be', async () => {
      terminal.isAttended = true;
      terminal.stdin = 'Not a kind\ngreeter\n\n';
      expect(await create('agent', 'scout')).toMatchObject({ code: 0 });
      expect(terminal.err).toMatch(
        /^What kind of agent is it\? \(scout\): a kind “Not a kind” must be .*\nWhat kind.*Which language\?/s,
      );
      expect(JSON.parse(read('scout/.fleet/generated.json')).pieces.agent.answers).toEqual({
        ...{ name: 'scout', kind: 'greeter', lang: 'ts' },
      });
    });

    test('nothing that was said, and gives up with the terminal', async () => {
      terminal.isAttended = true;
      expect(await create('agent', 'scout', '--kind', 'greeter', '--lang', 'ts')).toMatchObject({ code: 0, err: '' });
      expect(await create('agent', 'other')).toMatchObject({ code: 5 });
      expect(terminal.err).toContain('--kind was not answered (BAD_INPUT)');
      expect(existsSync(at('other'))).toBe(false);
    });

    test('nobody where nobody is there: the flag that is missing is named', async () => {
      expect(await create('agent', 'scout', '--kind', 'greeter')).toMatchObject({ code: 5, out: '' });
      expect(terminal.err).toBe('fleet: say --lang ts|python, or --yes for ts (BAD_INPUT)\n');
      expect(readdirSync(terminal.root)).toEqual([]);
    });
  });

  test.each([
    [['agent', 'Scout', '--yes'], 'a letter first'],
    [['agent', 'a--b', '--yes'], 'single hyphens'],
    [['agent', 'a'.repeat(65), '--yes'], '1 to 64'],
    [['agent', '../out', '--yes'], 'lower-case letters'],
    [['agent', 'fleetgraph', '--yes'], 'the SDK’s own'],
    [['agent', 'scout', '--yes', '--kind', 'a b'], 'a kind “a b”'],
    [['rule', 'r', '--yes', '--severity', 'loud'], '--severity is one of INFO, WARNING, CRITICAL, not “LOUD”'],
    [['migration', 'k', '--from', '1', '--to', '1.1.0'], '--from “1” is no semantic version'],
    [['migration', 'k', '--from', '1.0.0', '--to', '1.0.0'], 'a version is published once'],
    [[], 'say what: agent, kind, migration or rule; or --update'],
  ])('%j is refused, and nothing is written', async (words, why) => {
    expect(await create(...words)).toMatchObject({ code: 5, out: '' });
    expect(terminal.err).toContain(why);
    expect(terminal.err).toContain('(BAD_INPUT)');
    expect(readdirSync(terminal.root)).toEqual([]);
  });

  test.each([
    ['agent', 'scout', '--lang', 'cobol'],
    ['rule', 'unwell', '--on', 'noise'],
    ['migration', 'scout', '--from', '1.0.0'],
    ['kind'],
  ])('%s %s %s %s is no way to say it', async (...words) => {
    expect(await create(...words)).toMatchObject({ code: 2, out: '' });
  });

  test('a folder that holds something else is refused, an empty one is taken', async () => {
    mkdirSync(at('full'));
    mkdirSync(at('empty'));
    writeFileSync(at('full/mine'), 'mine');
    expect(await create('agent', 'scout', '--yes', '--dir', 'full')).toMatchObject({ code: 5, out: '' });
    expect(terminal.err).toContain('full is not empty, and was not made by fleet create (CONFLICT)');
    expect(readdirSync(at('full'))).toEqual(['mine']);
    expect(await create('agent', 'scout', '--yes', '--dir', 'empty')).toMatchObject({ code: 0 });
    expect(readdirSync(terminal.root).sort()).toEqual(['empty', 'full']);
    expect(await create('agent', 'other', '--yes', '--dir', 'empty')).toMatchObject({ code: 5 });
    expect(terminal.err).toContain('has the agent scout in ts already');
    writeFileSync(
      at('empty/.fleet/generated.json'),
      '{"format":1,"pieces":{"agent":{"answers":{},"files":{"../x":{"sha256":""}}}}}',
    );
    expect(await create('--update', '--dir', 'empty')).toMatchObject({ code: 5 });
    expect(terminal.err).toContain('is damaged');
  });

  test('a dry run and a difference write nothing; JSON says the same', async () => {
    expect(await create('agent', 'scout', '--yes', '--dry-run')).toMatchObject({ code: 0 });
    expect(terminal.out).toContain('added     src/agent.ts\n');
    expect(await create('agent', 'scout', '--yes', '--diff')).toMatchObject({ code: 0 });
    expect(terminal.out).toContain('--- /dev/null\n+++ b/src/agent.ts\n@@ -0,0 +1,');
    expect(terminal.out).toContain('Binary files a/vendor/');
    expect(readdirSync(terminal.root)).toEqual([]);
    const told = JSON.parse((await create('agent', 'scout', '--yes', '--json')).out);
    expect(told).toMatchObject({ folder: at('scout'), written: true, conflicts: [] });
    expect(told.files).toContainEqual({ path: 'src/agent.ts', outcome: 'added' });
    expect(told.next).toEqual(['cd scout && npm ci && npm test && npm run dev']);
  });

  test('a project is told where this machine’s platform keeps its token, not the token, and never again', async () => {
    mkdirSync(at('.data'));
    writeFileSync(at('.data/admin-token'), 'planted\n');
    expect(await create('agent', 'scout', '--yes', '--url', 'http://fleet:1')).toMatchObject({ code: 0 });
    expect(read('scout/.env')).toBe(`FLEET_DATA='${at('.data')}'\nFLEET_URL=http://fleet:1\n`);
    expect(statSync(at('scout/.env')).mode & 0o777).toBe(0o600);
    for (const file of readdirSync(at('scout'), { recursive: true, withFileTypes: true }))
      if (file.isFile()) expect(readFileSync(path.join(file.parentPath, file.name), 'utf8')).not.toContain('planted');
    const others = read('scout/.fleet/generated.json') + read('scout/package.json') + read('scout/README.md');
    expect(others).not.toContain(terminal.root);
    rmSync(at('scout/.env'));
    await create('--update', '--dir', 'scout');
    expect(existsSync(at('scout/.env'))).toBe(false);
  });

  describe('written again', () => {
    /** As a project that older templates made. */
    async function older(edit: (text: string) => string) {
      await create('agent', 'scout', '--yes', '--lang', 'python');
      const record = JSON.parse(read('scout/.fleet/generated.json'));
      const file = record.pieces.agent.files['README.md'];
      file.text = edit(file.text);
      file.sha256 = 'older';
      writeFileSync(at('scout/.fleet/generated.json'), JSON.stringify(record));
      return file.text as string;
    }

    test('nothing changes that is as it was', async () => {
      await create('agent', 'scout', '--yes');
      const record = read('scout/.fleet/generated.json');
      expect(await create('agent', 'scout')).toMatchObject({ code: 0, out: 'nothing changes\n' });
      expect(await create('--update', '--dir', 'scout')).toMatchObject({ code: 0, out: 'nothing changes\n' });
      expect(read('scout/.fleet/generated.json')).toBe(record);
    });

    test('edits stay, what was deleted stays away, and what is new comes in between', async () => {
      const old = await older((text) => text.replace('Python 3.9 or newer', 'Python 3'));
      writeFileSync(at('scout/README.md'), `${old}\nOur own words.\n`);
      writeFileSync(at('scout/Dockerfile'), 'FROM scratch\n');
      rmSync(at('scout/scout/platform.py'));
      const shown = await create('--update', '--dir', 'scout', '--diff');
      expect(shown).toMatchObject({ code: 0 });
      expect(shown.out).toContain('+Python 3.9 or newer, and nothing to install:\n');
      expect(await create('--update', '--dir', 'scout')).toMatchObject({ code: 0 });
      expect(terminal.out).toBe('kept      Dockerfile\nmerged    README.md\ndeleted   scout/platform.py\n');
      expect(read('scout/README.md')).toMatch(/Python 3\.9 or newer.*Our own words\.\n$/s);
      expect(read('scout/Dockerfile')).toBe('FROM scratch\n');
      expect(existsSync(at('scout/scout/platform.py'))).toBe(false);
    });

    test('what templates no longer have goes with its folder, unless somebody touched it', async () => {
      await create('agent', 'scout', '--yes', '--lang', 'python');
      const record = JSON.parse(read('scout/.fleet/generated.json'));
      for (const file of ['old/deep/a.txt', 'old.txt']) {
        const sha256 = createHash('sha256').update('as it was').digest('hex');
        record.pieces.agent.files[file] = { sha256, text: 'as it was' };
        mkdirSync(path.dirname(at('scout', file)), { recursive: true });
        writeFileSync(at('scout', file), file === 'old.txt' ? 'ours' : 'as it was');
      }
      writeFileSync(at('scout/.fleet/generated.json'), JSON.stringify(record));
      const told = 'kept      old.txt\nremoved   old/deep/a.txt\n';
      expect(await create('--update', '--dir', 'scout')).toMatchObject({ code: 0, out: told });
      expect([existsSync(at('scout/old')), read('scout/old.txt')]).toEqual([false, 'ours']);
      expect(await create('--update', '--dir', 'scout')).toMatchObject({ code: 0, out: 'nothing changes\n' });
    });

    test('what both changed is marked, told by 3, and settled before the next time', async () => {
      const old = await older((text) => text.replace('# scout', '# An agent'));
      writeFileSync(at('scout/README.md'), old.replace('# An agent', '# Ours'));
      expect(await create('--update', '--dir', 'scout', '--json')).toMatchObject({ code: 5 });
      expect(JSON.parse(terminal.out)).toMatchObject({ conflicts: ['README.md'], next: [] });
      expect(read('scout/README.md')).toContain('<<<<<<< yours\n# Ours\n=======\n# scout\n>>>>>>> template\n');
      expect(await create('--update', '--dir', 'scout')).toMatchObject({ code: 5, out: '' });
      expect(terminal.err).toContain('marks of a merge stand in README.md: settle them first (CONFLICT)');
      writeFileSync(at('scout/README.md'), '# Ours\n');
      expect(await create('--update', '--dir', 'scout')).toMatchObject({ code: 0, out: 'kept      README.md\n' });
    });

    test('a merge that was killed halfway is done again', async () => {
      const old = await older((text) => text.replace('Python 3.9 or newer', 'Python 3'));
      writeFileSync(at('scout/README.md'), `${old}\nOurs.\n`);
      const record = read('scout/.fleet/generated.json');
      await create('--update', '--dir', 'scout');
      const merged = read('scout/README.md');
      writeFileSync(at('scout/.fleet/generated.json'), record);
      expect(await create('--update', '--dir', 'scout')).toMatchObject({ code: 0 });
      expect(read('scout/README.md')).toBe(merged);
    });

    test('a link that leads out of the project is not followed, and what was never made cannot be updated', async () => {
      await older((text) => `${text}more\n`);
      rmSync(at('scout/.github'), { recursive: true });
      mkdirSync(at('outside/workflows'), { recursive: true });
      symlinkSync(at('outside'), at('scout/.github'));
      const record = JSON.parse(read('scout/.fleet/generated.json'));
      delete record.pieces.agent.files['.github/workflows/ci.yml'];
      writeFileSync(at('scout/.fleet/generated.json'), JSON.stringify(record));
      expect(await create('--update', '--dir', 'scout')).toMatchObject({ code: 5 });
      expect(terminal.err).toContain('a link leads there (CONFLICT)');
      expect(readdirSync(at('outside/workflows'))).toEqual([]);
      expect(await create('--update', '--dir', 'outside')).toMatchObject({ code: 4 });
    });
  });

  describe('pieces of a project', () => {
    beforeEach(async () => {
      await create('agent', 'scout', '--kind', 'greeter', '--lang', 'python');
      process.chdir(at('scout'));
    });

    test('a kind needs a project, and is not the agent’s own', async () => {
      expect(await create('kind', 'reader')).toMatchObject({ code: 0 });
      expect(terminal.out).toContain(
        'added     scout/reader.py\nadded     tests/test_reader.py\nadded     versions/reader-1.0.0.json\n',
      );
      expect(await create('kind', 'greeter')).toMatchObject({ code: 5 });
      expect(await create('kind', 'agent')).toMatchObject({ code: 5 });
      expect(terminal.err).toContain('scout/agent.py is there already, and was not made by this (CONFLICT)');
      expect(await create('kind', 'reader', '--dir', terminal.root)).toMatchObject({ code: 4 });
      expect(await create('--update')).toMatchObject({ code: 0, out: 'nothing changes\n' });
    });

    test('a migration begins with the version before it: the project’s, else the platform’s', async () => {
      expect(await create('migration', 'scout', '--from', '1.0.0', '--to', '1.1.0')).toMatchObject({ code: 0 });
      expect(terminal.err).toBe('not looked at by a platform: there is no token\n');
      const first = JSON.parse(read('scout/versions/greeter-1.0.0.json'));
      expect(JSON.parse(read('scout/versions/greeter-1.1.0.json'))).toEqual({
        ...{ ...first, version: '1.1.0', migratesFrom: '1.0.0' },
        ...{ operations: [], notes: 'From 1.0.0 to 1.1.0.' },
      });
      expect(await create('migration', 'other', '--from', '1.0.0', '--to', '2.0.0')).toMatchObject({ code: 4 });
      process.env['FLEET_TOKEN'] = 'token';
      expect(await create('migration', 'other', '--from', '1.0.0', '--to', '2.0.0')).toMatchObject({ code: 0 });
      expect(terminal.err).toContain('would take it');
      expect(server.calls.at(-1)?.variables['input']).toMatchObject({
        ...{ kind: 'other', version: '2.0.0', defaults: { depth: 1 }, dryRun: true },
      });
      expect(await create('migration', 'other', '--from', '1.0.1', '--to', '2.0.0')).toMatchObject({ code: 5 });
      expect(await create('migration', 'other', '--from', '0.9.0', '--to', '3.0.0')).toMatchObject({ code: 4 });
      expect(await create('--update')).toMatchObject({ code: 0, out: 'nothing changes\n' });
    });

    test.each(['health', 'presence', 'logs', 'errors', 'metric'])(
      'a rule about %s is looked at, and applied',
      async (on) => {
        process.env['FLEET_TOKEN'] = 'token';
        expect(await create('rule', 'unwell', '--on', on, '--severity', 'critical', '--yes')).toMatchObject({
          code: 0,
        });
        const rule = JSON.parse(read('scout/rules/unwell.json'));
        expect(rule).toMatchObject({ name: 'unwell', severity: 'CRITICAL', labels: { kind: 'greeter' } });
        expect(Object.keys(rule.condition)).toEqual([on]);
        expect(server.calls.at(-1)?.variables['input']).toEqual({ ...rule, dryRun: true });
        expect(await terminal.run('alerts', 'apply', 'rules/unwell.json')).toMatchObject({
          code: 0,
          out: 'rule r is applied\n',
        });
        expect(server.calls.at(-1)?.variables['input']).toEqual(rule);
      },
    );

    test('what a platform would refuse is written and told; one that is away is no fault', async () => {
      process.env['FLEET_TOKEN'] = 'token';
      server.fields['applyAlertRule'] = () => ({
        userErrors: [{ code: 'BAD_INPUT', message: 'no such policy', field: null }],
      });
      expect(await create('rule', 'unwell', '--yes')).toMatchObject({ code: 5 });
      expect(terminal.err).toBe('fleet: the platform would refuse it: no such policy (BAD_INPUT)\n');
      expect(existsSync('rules/unwell.json')).toBe(true);
      expect(await create('rule', 'away', '--yes', '--url', 'http://127.0.0.1:9')).toMatchObject({ code: 0 });
      expect(terminal.err).toContain('not looked at by a platform');
      expect(await terminal.run('alerts', 'apply', 'rules/none.json')).toMatchObject({ code: 5 });
    });
  });
});
