import { plain } from './table.ts';

/** A rollout as `fleet rollout` asks for it. */
export interface ShownRollout {
  id: string;
  kind: string;
  version: string;
  state: string;
  stage: number;
  reason: string;
  looks: number;
  stages: {
    name: string;
    agents: number;
    waiting: number;
    changing: number;
    ready: number;
    lost: number;
    back: number;
    gone: number;
  }[];
  findings: { metric: string; outcome: string; probability: number | null; sentence: string }[];
}

const WIDTH = 30;
const SIGNS = { ready: '█', changing: '▒', lost: '✗', back: '◂', gone: '·', waiting: '░' } as const;
const MARK: Record<string, string> = { PASS: '✓', WAIT: '…', HARM: '✗' };

/** A picture of a rollout: a bar for each stage, and what its gate says. */
export function rolloutPicture(rollout: ShownRollout): string {
  const { kind, version, state, reason, stage, looks, stages, findings, id } = rollout;
  const names = Math.max(...stages.map(({ name }) => name.length));
  const bars = stages.map((each, at) => {
    const here = at === stage ? '▸' : ' ';
    const counts = `${each.ready}/${each.agents} on it${each.lost ? `, ${each.lost} lost` : ''}${each.back ? `, ${each.back} back` : ''}`;
    return `${here} ${each.name.padEnd(names)} ${barOf(each)} ${counts}`;
  });
  const gate = findings.map(({ outcome, sentence }) => `  ${MARK[outcome] ?? '?'} ${sentence}`);
  const head = `${kind} ${version}  ${state}  ${reason}`;
  return [head, ...bars, ...(gate.length ? [`gate, look ${looks}:`, ...gate] : []), id].map(plain).join('\n');
}

/** Every part that is there has a sign at least, as far as the bar reaches. */
function barOf(stage: ShownRollout['stages'][number]): string {
  const parts = Object.keys(SIGNS) as (keyof typeof SIGNS)[];
  let bar = '';
  for (const part of parts) {
    const share = (stage[part] / Math.max(1, stage.agents)) * WIDTH;
    bar += SIGNS[part].repeat(stage[part] ? Math.max(1, Math.round(share)) : 0);
  }
  return bar.slice(0, WIDTH).padEnd(WIDTH);
}
