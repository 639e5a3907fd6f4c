import { holdStandardFlags } from '../../lib/flags/index.ts';

/** A whole run with every flag on or off: `FLEET_FLAGS=all-off npx jest …`. Tests of one feature say what they need. */
const hold = process.env['FLEET_FLAGS'];
if (hold === 'all-on' || hold === 'all-off') holdStandardFlags(hold);
