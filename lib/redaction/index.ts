export { ownRule } from './own-patterns.ts';
export { Redactor, type Suspects } from './redactor.ts';
export { type RedactionRule, RULES } from './rules.ts';
