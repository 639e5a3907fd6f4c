import { type LineStyle, logLine } from '../output/log-line.ts';
import { ago } from '../output/printer.ts';
import { cut, plain, table } from '../output/table.ts';
import type { ErrorRow, Examination, Mail, Patient, StoryLine } from './patient.ts';

const MOST_JSON = 400;

export interface SectionStyle {
  nowMs: number;
  /** Tables are cut to it; undefined where there is no width. */
  width: number | undefined;
  lines: LineStyle;
}

/** What is known of an agent at one time, section by section. */
export function sectionsOf({ agent, mailbox, errors, logs }: Examination, style: SectionStyle): string[] {
  const { nowMs, width, lines } = style;
  return [
    ...section('STATE', stateOf(agent, nowMs)),
    ...section('HEALTH', healthOf(agent, width)),
    ...section('CONFIG', configOf(agent, nowMs)),
    ...section(`MAILBOX${mailbox ? ` (${mailbox.length})` : ''}`, mailboxOf(mailbox, nowMs, width)),
    ...section('ERRORS of the last day', errorsOf(errors, nowMs, width)),
    ...section('STORY', [...agent.events.nodes].reverse().map(storyLine)),
    ...section('LOG', logs ? logs.map((entry) => logLine(entry, lines)) : ['could not be asked']),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return [title, ...(lines.length ? lines : ['none']).map((line) => `  ${line}`)];
}

function stateOf(agent: Patient, nowMs: number): string[] {
  const { name, kind, version, desiredVersion, state, desiredState, presence, lastSeenAt, restarts } = agent;
  const asked = state === desiredState ? '' : `, asked to be ${desiredState}`;
  const other = desiredVersion && desiredVersion !== version ? `, should run ${desiredVersion}` : '';
  return [
    plain(`${name}, a ${kind} ${version}${other}`),
    `${state}${asked}, ${presence}, last beat ${ago(lastSeenAt, nowMs)} ago, ${restarts} restarts`,
  ];
}

function healthOf({ health, rootCause }: Patient, width: number | undefined): string[] {
  const rows = health.penalties;
  const penalties = rows.length
    ? table<(typeof rows)[number]>(
        [
          { title: 'POINTS', text: ({ points }) => `-${points}`, right: true },
          { title: 'FACTOR', text: ({ factor }) => factor ?? '' },
          { title: 'WHY', text: ({ reason }) => reason },
          { title: 'EVIDENCE', text: ({ evidence }) => evidence },
        ],
        rows,
        inside(width),
      ).split('\n')
    : [];
  const cause = rootCause ? [plain(`the cause is ${rootCause.name} (${rootCause.state})`)] : [];
  return [`${health.grade}, ${health.score} of 100`, ...penalties, ...cause];
}

function configOf({ config, configVersion, observedConfigVersion, drift }: Patient, nowMs: number): string[] {
  const works =
    observedConfigVersion === null
      ? 'it has not said by which it works'
      : observedConfigVersion === configVersion
        ? 'in effect'
        : `it works by version ${observedConfigVersion}`;
  const drifts = drift ? [`drifts since ${ago(drift.since, nowMs)}, told ${ago(drift.toldAt, nowMs)} ago`] : [];
  return [`version ${configVersion}, ${works}`, ...drifts, json(config)];
}

function mailboxOf(mailbox: Mail[] | null, nowMs: number, width: number | undefined): string[] {
  if (!mailbox) return ['could not be asked'];
  if (!mailbox.length) return [];
  return table<Mail>(
    [
      { title: 'COMMAND', text: ({ name }) => name },
      { title: 'WAITS', text: ({ issuedAt }) => ago(issuedAt, nowMs), right: true },
      { title: 'FROM', text: ({ issuedBy }) => issuedBy.name },
      { title: 'ARGUMENTS', text: (mail) => json(mail.arguments) },
    ],
    mailbox,
    inside(width),
  ).split('\n');
}

function errorsOf(errors: ErrorRow[] | null, nowMs: number, width: number | undefined): string[] {
  if (!errors) return ['could not be asked'];
  if (!errors.length) return [];
  return table<ErrorRow>(
    [
      { title: 'TIMES', text: ({ count }) => String(count), right: true },
      { title: 'LAST', text: ({ lastSeenAt }) => ago(lastSeenAt, nowMs), right: true },
      { title: 'STATE', text: ({ state }) => state },
      { title: 'ERROR', text: ({ code, message }) => (code ? `${code}: ${message}` : message) },
      { title: 'PLACE', text: ({ place }) => place },
      { title: 'TRACE', text: ({ trace }) => trace?.traceId ?? '-' },
    ],
    errors,
    inside(width),
  ).split('\n');
}

/** A line of the agent's story: a command that came or ended, a hook, a change of its state. */
export function storyLine({ occurredAt, name, detail, actor }: StoryLine): string {
  return plain(`${occurredAt} ${name} ${json(detail)} by ${actor.name}`);
}

function json(value: unknown): string {
  return cut(plain(JSON.stringify(value ?? null)), MOST_JSON);
}

/** Sections are indented. */
function inside(width: number | undefined): number | undefined {
  return width === undefined ? undefined : width - 2;
}
