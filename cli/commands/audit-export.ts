import { createWriteStream, existsSync } from 'node:fs';
import { truncate } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { FleetFailure } from '../../sdk/index.ts';
import type { Context } from '../context.ts';

type ExportedEntry = import('../../lib/audit-export/index.ts').ExportedEntry;

const CHECKPOINT = '{ auditCheckpoint { origin size } }';
const TELL_EVERY_MS = 1_000;
const NEWLINE = 10;

/**
 * Writes the log into a file. One that is there is gone on with behind its last whole entry, whether it was cut off or the log
 * has grown since.
 */
export async function exportTo(context: Context, file: string): Promise<void> {
  const { client, printer, signal } = context;
  const { keptIn } = await import('../../lib/audit-export/index.ts');
  const kept = existsSync(file) ? await keptIn(file) : { origin: '', entries: 0, sizeBytes: 0 };
  if (!kept) throw new FleetFailure('BAD_INPUT', `${file} is no exported log: it is left as it is`);
  const { auditCheckpoint } = await client.query<{ auditCheckpoint: { origin: string; size: string } | null }>(
    CHECKPOINT,
  );
  if (kept.origin && kept.origin !== auditCheckpoint?.origin)
    throw new FleetFailure('CONFLICT', `${file} is of the log ${kept.origin}, and this is another: take another file`);
  const from = kept.sizeBytes ? kept.entries : 0;
  const response = await client.open(`/v1/audit/export?from=${from}`, signal);
  if (existsSync(file)) await truncate(file, kept.sizeBytes);
  const counted = countedLines(context, from, Number(auditCheckpoint?.size ?? 0));
  try {
    await pipeline(
      Readable.fromWeb(response.body as ReadableStream),
      counted.through,
      // Addresses of clients stand in it.
      createWriteStream(file, { flags: 'a', mode: 0o600 }),
    );
  } catch (error) {
    throw new FleetFailure(
      'UNREACHABLE',
      `it broke off (${(error as Error).message}): the same command goes on with it`,
    );
  }
  // All lines but the header and the checkpoint are entries.
  const entries = from + counted.lines() - (from || kept.sizeBytes ? 1 : 2);
  printer.answer({ file, from, entries }, () =>
    printer.line(`${file} has ${entries} entries, ${entries - from} of them new`),
  );
}

/** Writes the whole log into a new file as OCSF events, an event a line: for reading, not for verifying. */
export async function translateTo({ client, printer, signal }: Context, file: string): Promise<void> {
  if (existsSync(file))
    throw new FleetFailure('CONFLICT', `${file} is there already: events are written into a new file`);
  const { ocsfOf, Splitter } = await import('../../lib/audit-export/index.ts');
  const response = await client.open('/v1/audit/export', signal);
  const splitter = new Splitter();
  let entries = 0;
  const translated = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let events = '';
      splitter.push(chunk, (line) => {
        const told = JSON.parse(line.toString()) as Partial<ExportedEntry>;
        // The header and the checkpoint are no entries, and of one whose bytes were removed there is nothing to tell.
        if (!told.leaf) return;
        entries += 1;
        events += `${JSON.stringify(ocsfOf(told as ExportedEntry))}\n`;
      });
      done(null, events);
    },
  });
  const out = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  await pipeline(Readable.fromWeb(response.body as ReadableStream), translated, out).catch(brokenOff);
  printer.answer({ file, entries }, () => printer.line(`${file} has ${entries} events`));
}

function brokenOff(error: Error): never {
  throw new FleetFailure('UNREACHABLE', `it broke off (${error.message}): try again`);
}

/** Passes bytes on, counts their lines, and says once a second how far it is. */
function countedLines({ printer, nowMs }: Context, from: number, size: number) {
  let lines = 0;
  let toldAtMs = nowMs();
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) lines += 1;
      if (nowMs() - toldAtMs >= TELL_EVERY_MS) {
        toldAtMs = nowMs();
        printer.note(`${from + lines} of ${size} entries`);
      }
      done(null, chunk);
    },
  });
  return { through, lines: () => lines };
}
