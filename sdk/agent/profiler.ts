import { type HeapProfiler, type Profiler, Session } from 'node:inspector';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { withoutSecrets } from '../telemetry/redaction.ts';
import type { Surroundings } from '../wire/surroundings.ts';
import { CommandRefused } from './mailbox.ts';

/** Where a profile goes: the body of one request, packed. */
export type Deliver = (body: Uint8Array<ArrayBuffer>) => Promise<void>;

const MAX_SECONDS = 60;
/** As the platform takes them, bytes. */
const MAX_PACKED = 4 << 20;
const MAX_PLAIN = 8 << 20;
/** How far two looks at the stack are apart, microseconds. */
const SAMPLE_US = 1_000;
/** One allocation is looked at in so many bytes. */
const SAMPLE_BYTES = 32 << 10;

const packed = promisify(gzip);
/** In this process: two profilers would measure each other. */
let isBusy = false;

/**
 * Begins to profile this process, and delivers what it saw when the time is over.
 * @param args `profile` its id, `kind` CPU or HEAP, `seconds` 1 to 60
 * @returns when the profiler runs
 * @throws CommandRefused for other arguments, and while another profile is made
 */
export async function beginProfile(
  args: Record<string, unknown>,
  { sleep }: Surroundings,
  deliver: Deliver,
): Promise<object> {
  const { profile, kind, seconds, engine } = args;
  if (typeof profile !== 'string' || (kind !== 'CPU' && kind !== 'HEAP'))
    throw new CommandRefused('profile is an id, kind is CPU or HEAP');
  if (typeof seconds !== 'number' || !(seconds >= 1 && seconds <= MAX_SECONDS))
    throw new CommandRefused(`seconds is 1 to ${MAX_SECONDS}`);
  if (engine !== undefined) throw new CommandRefused(`${String(engine)} is nothing that Node.js can profile with`);
  if (isBusy) throw new CommandRefused('another profile of this process is being made');
  isBusy = true;
  const session = new Session();
  try {
    session.connect();
    await (kind === 'CPU' ? beginCpu(session) : beginHeap(session));
  } catch (error) {
    session.disconnect();
    isBusy = false;
    throw error;
  }
  const finish = async () => {
    try {
      await sleep(seconds * 1_000);
      return { profile, content: await (kind === 'CPU' ? endCpu(session) : endHeap(session)) };
    } finally {
      session.disconnect();
      isBusy = false;
    }
  };
  // The command is done: what becomes of the profile is told with it. Whoever cannot be reached is told nothing.
  finish()
    .then((told) => bodyOf(told))
    .catch((error: unknown) => bodyOf({ profile, error: withoutSecrets((error as Error).message) }))
    .then(deliver)
    .catch(() => undefined);
  return { begun: true };
}

async function bodyOf(told: object): Promise<Uint8Array<ArrayBuffer>> {
  const text = JSON.stringify(told);
  const body = text.length > MAX_PLAIN ? undefined : await packed(text);
  if (!body || body.length > MAX_PACKED)
    throw new Error('the profile is greater than the platform takes: ask for fewer seconds');
  return new Uint8Array(body);
}

async function beginCpu(session: Session): Promise<void> {
  await asked(session, 'Profiler.enable');
  await asked(session, 'Profiler.setSamplingInterval', { interval: SAMPLE_US });
  await asked(session, 'Profiler.start');
}

async function endCpu(session: Session): Promise<object> {
  const { profile } = await asked<Profiler.StopReturnType>(session, 'Profiler.stop');
  // Which lines of a function were hit is as large as all else, and shown by nobody.
  const nodes = profile.nodes.map(({ positionTicks: _, ...node }) => node);
  return { ...profile, nodes };
}

/** What is allocated, also when it is collected again: that is what keeps a collector busy. */
function beginHeap(session: Session): Promise<object> {
  return asked(session, 'HeapProfiler.startSampling', {
    samplingInterval: SAMPLE_BYTES,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
}

async function endHeap(session: Session): Promise<object> {
  const { profile } = await asked<HeapProfiler.StopSamplingReturnType>(session, 'HeapProfiler.stopSampling');
  return profile;
}

function asked<Answer extends object>(session: Session, method: string, params: object = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    session.post(method, params, (error, answer) => (error ? reject(error) : resolve(answer as Answer)));
  });
}
