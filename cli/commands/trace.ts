import { type Command, InvalidArgumentError } from 'commander';
import { FleetFailure } from '../../sdk/index.ts';
import { type Context, contextOf, type Surface } from '../context.ts';
import { lastRequest, shownTrace } from '../output/last-request.ts';
import { type ShownTrace, waterfall } from '../output/waterfall.ts';

const LOGGED = 'query LoggedWithin($filter: LogFilter) { logs(first: 1, filter: $filter) { totalCount } }';
const RANGES = ['PT1M', 'PT10M', 'PT1H'];
const LAST = 'last';

export function addTrace(program: Command, surface: Surface): void {
  const command = program
    .command('trace')
    .description('A request as it went through the platform: each step, when it ran, and what was logged meanwhile.')
    .argument('<trace>', 'its id, 32 hexadecimal digits (in log lines and every traceparent), or `last`', whichOf)
    .option('--limit <count>', 'no more than so many steps', '100');
  command.action((which: string, { limit }: { limit: string }) =>
    show(contextOf(command, surface), which, Number(limit), surface),
  );
}

async function show(context: Context, which: string, limit: number, { out }: Surface): Promise<void> {
  const { client, printer } = context;
  const traceId = which === LAST ? (await lastRequest(client, RANGES))?.traceId : which;
  if (!traceId)
    throw new FleetFailure(
      'NOT_FOUND',
      'no request of the last hour was recorded: FLEET_TRACE_RATIO is the share that is',
    );
  const trace = await shownTrace(client, traceId);
  if (!trace?.spans.length) throw new FleetFailure('NOT_FOUND', await whyEmpty(context, traceId));
  printer.answer(trace satisfies ShownTrace, () => {
    for (const line of waterfall(trace, { spans: limit, width: out.isTTY ? out.columns : undefined }))
      printer.line(line);
  });
}

/** A trace that left lines was real: its spans were sampled out, or are no longer kept. */
async function whyEmpty({ client }: Context, traceId: string): Promise<string> {
  const { logs } = await client.query<{ logs: { totalCount: number | null } | null }>(LOGGED, { filter: { traceId } });
  if (logs?.totalCount)
    return `trace ${traceId} is real, ${logs.totalCount} lines were logged within it (fleet logs --trace), but it was sampled out: FLEET_TRACE_RATIO is the share that is recorded`;
  return `nothing is kept of trace ${traceId}: it was sampled out (FLEET_TRACE_RATIO), is older than what is kept, or never was`;
}

function whichOf(value: string): string {
  if (value === LAST || /^[0-9a-f]{32}$/i.test(value)) return value.toLowerCase();
  throw new InvalidArgumentError('a trace id has 32 hexadecimal digits; `last` is the newest request');
}
