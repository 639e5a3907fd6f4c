import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { type Context, contextOf, type Surface } from '../context.ts';
import { FollowedFile } from '../ship/followed-file.ts';
import { keepPlace, readPlace } from '../ship/place.ts';
import { Shipment } from '../ship/shipment.ts';

const POLL_MS = 250;
const CHUNK_BYTES = 1024 * 1024;

interface Options {
  as: string;
  follow: boolean;
  offsetFile?: string;
}

export function addLogsShip(logs: Command, surface: Surface): void {
  const command = logs
    .command('ship')
    .description('Stores the lines of a file, or of what is piped in, and goes on with new ones.')
    .argument('<file>', 'the file; - is what is piped in')
    .option('--as <service>', 'service of lines that name none', '')
    .option('--offset-file <file>', 'where is kept how far it came; <file>.shipped.json unless given')
    .option('--no-follow', 'end at the end of the file');
  command.action(async (file: string, options: Options) => {
    const context = contextOf(command, surface);
    const shipment = new Shipment(context.client, options.as, context.signal, (text) => context.printer.note(text));
    if (file === '-') await shipStream(surface.stdin, shipment);
    else await shipFile(file, options, context, shipment);
    const { lines, rejected } = shipment.shipped;
    context.printer.answer({ lines, rejected }, () =>
      context.printer.line(`${lines - rejected} lines stored, ${rejected} refused`),
    );
  });
}

/** At least once, and each batch by a name that a second attempt has too: stored once, also over a kill between. */
async function shipFile(file: string, options: Options, context: Context, shipment: Shipment): Promise<void> {
  const offsetFile = options.offsetFile ?? `${file}.shipped.json`;
  const followed = new FollowedFile(file, readPlace(offsetFile));
  try {
    while (!context.signal.aborted) {
      const chunk = followed.next(!options.follow);
      if (chunk) {
        const { inode, offset, before, pending } = chunk.place;
        keepPlace(offsetFile, chunk.place);
        if (
          !(await shipment.send(
            chunk.bytes,
            `${inode} ${offset} ${pending} ${before} ${chunk.bytes.toString('base64')}`,
          ))
        )
          return;
        keepPlace(offsetFile, followed.done(chunk));
      } else if (options.follow) await context.client.surroundings.sleep(POLL_MS, context.signal);
      else return;
    }
  } finally {
    followed.close();
  }
}

/** What is piped in is read once: each batch has a name of its own, for the attempts at it. */
async function shipStream(input: AsyncIterable<Buffer | string>, shipment: Shipment): Promise<void> {
  let rest = Buffer.alloc(0);
  for await (const piece of input) {
    rest = Buffer.concat([rest, Buffer.from(piece as string)]);
    const whole = rest.lastIndexOf(0x0a) + 1 || (rest.length >= CHUNK_BYTES ? rest.length : 0);
    if (whole && !(await shipment.send(rest.subarray(0, whole), randomUUID()))) return;
    rest = rest.subarray(whole);
  }
  if (rest.length) await shipment.send(rest, randomUUID());
}
