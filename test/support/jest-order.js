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

/** The long ones first, then as jest has it. */
module.exports = class LongFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const at = LONG.findIndex((name) => path.endsWith(`${name}.test.ts`));
      return at < 0 ? LONG.length : at;
    };
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
};
