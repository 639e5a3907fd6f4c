const { default: Sequencer } = require('@jest/test-sequencer');

/** They take a minute or so: begun last, one would be left running alone. */
const LONG = [
  'core/worlds',
  'core/cache-heap',
  'platform/start',
  'platform/export',
  'core/monolith',
  'limits/processes',
];

/** Folders of files that take some ten seconds each: the next. */
const SLOW = /\/test\/(platform|logs|alerts|metrics)\//;

const rank = (path) => {
  const at = LONG.findIndex((name) => path.endsWith(`${name}.test.ts`));
  if (at >= 0) return at;
  return SLOW.test(path) ? LONG.length : LONG.length + 1;
};

/** The long ones first, then as jest has it. */
module.exports = class LongFirst extends Sequencer {
  sort(tests) {
    return [...super.sort(tests)].sort((a, b) => rank(a.path) - rank(b.path));
  }
};

module.exports.isLong = (path) => rank(path) < LONG.length;
