import type { Kind } from '../roster.ts';
import type { Behaviour } from '../task.ts';
import { code } from './coder.ts';
import { deploy } from './deployer.ts';
import { retrieve } from './librarian.ts';
import { patrol } from './monitor.ts';
import { plan } from './planner.ts';
import { research } from './researcher.ts';
import { review } from './reviewer.ts';
import { summarize } from './summarizer.ts';
import { test } from './tester.ts';

/** What each kind of agent does with a task. */
export const BEHAVIOURS: Record<Kind, Behaviour> = {
  planner: plan,
  researcher: research,
  librarian: retrieve,
  coder: code,
  reviewer: review,
  tester: test,
  deployer: deploy,
  summarizer: summarize,
  monitor: patrol,
};
