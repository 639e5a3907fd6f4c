const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { formatResultsErrors } = require('jest-message-util');
const { default: TestRunner } = require('jest-runner');
const { isLong } = require('./jest-order.js');

/** More would leave one process at work at the end, while the other has nothing left. */
const AT_MOST = 16;

/**
 * Test files of one folder as one: what they import is read once for them all, which is half of a run's time. Each is a `describe` of
 * its own there, and a file again in what is told. Alone is who takes a minute, and who puts another thing in the place of a process's.
 */
module.exports = class Together extends TestRunner {
  #folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-jest-'));
  /** A file that was written here → the tests that it requires. @type {Map<string, import('@jest/test-result').Test[]>} */
  #members = new Map();

  async runTests(tests, watcher, options) {
    try {
      return await super.runTests(this.#groups(tests).map(this.#together), watcher, options);
    } finally {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  on(event, listener) {
    if (event === 'test-file-start' || event === 'test-file-failure') {
      return super.on(event, async ([test, ...rest]) => {
        for (const member of this.#of(test)) await listener([member, ...rest]);
      });
    }
    if (event === 'test-file-success') {
      return super.on(event, async ([test, result]) => {
        for (const [member, own] of apart(this.#of(test), result, this._globalConfig)) await listener([member, own]);
      });
    }
    return super.on(event, listener);
  }

  #of = (test) => this.#members.get(test.path) ?? [test];

  #groups(tests) {
    const groups = [];
    const open = new Map();
    for (const test of tests) {
      const folder = path.dirname(test.path);
      const group = open.get(folder);
      if (isLong(test.path) || replacesSomething(test.path)) groups.push([test]);
      else if (group && group.length < AT_MOST) group.push(test);
      else {
        open.set(folder, [test]);
        groups.push(open.get(folder));
      }
    }
    return groups;
  }

  #together = (members) => {
    if (members.length === 1) return members[0];
    const file = path.join(this.#folder, `${this.#members.size}.js`);
    writeFileSync(
      file,
      members
        .map(
          (member) => `describe(${JSON.stringify(member.path)}, () => { require(${JSON.stringify(member.path)}); });\n`,
        )
        .join(''),
    );
    this.#members.set(file, members);
    return { ...members[0], path: file };
  };
};

const replacesSomething = (file) => /\bjest\.\w/.test(readFileSync(file, 'utf8'));

/** The result of a file written here as one result for each file that it requires. */
function apart(members, result, globalConfig) {
  if (members.length === 1) return [[members[0], result]];
  const failing = new Set(
    result.testResults.filter(({ status }) => status === 'failed').map(({ ancestorTitles: [file] }) => file),
  );
  return members.map((member, index) => {
    const own = result.testResults.filter(({ ancestorTitles: [file] }) => file === member.path).map(unnamed);
    // What failed outside of a test is not told of a file: then it is of all, unless tests of some failed too.
    const isIll = !failing.size || failing.has(member.path);
    const count = (status) => own.filter((test) => test.status === status).length;
    return [
      member,
      {
        ...result,
        testFilePath: member.path,
        testResults: own,
        numFailingTests: count('failed'),
        numPassingTests: count('passed'),
        numPendingTests: count('pending'),
        numTodoTests: count('todo'),
        testExecError: isIll ? result.testExecError : undefined,
        failureMessage: failing.size
          ? formatResultsErrors(own, member.context.config, globalConfig, member.path)
          : result.failureMessage,
        perfStats: { ...result.perfStats, runtime: result.perfStats.runtime / members.length },
        // What belongs to the process is told once.
        ...(index > 0 && { console: undefined, coverage: undefined, v8Coverage: undefined, openHandles: [] }),
      },
    ];
  });
}

function unnamed(test) {
  const [file, ...ancestorTitles] = test.ancestorTitles;
  return { ...test, ancestorTitles, fullName: test.fullName.slice(file.length + 1) };
}
