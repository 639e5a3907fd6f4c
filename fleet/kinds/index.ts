import type { Kind } from '../../sdk/factory/index.ts';
import type { Task } from '../task.ts';
import { coder } from './coder.ts';
import { deployer } from './deployer.ts';
import { librarian } from './librarian.ts';
import { monitor } from './monitor.ts';
import { planner } from './planner.ts';
import { researcher } from './researcher.ts';
import { reviewer } from './reviewer.ts';
import { summarizer } from './summarizer.ts';
import { tester } from './tester.ts';

/** The kinds of the demo, by name. */
export const TRADES = {
  planner,
  researcher,
  librarian,
  coder,
  reviewer,
  tester,
  deployer,
  summarizer,
  monitor,
} satisfies Record<string, Kind<Task, string>>;
