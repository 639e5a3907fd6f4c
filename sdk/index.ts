import type { Agent } from './agent/agent.ts';
import { FleetLink, type LinkOptions } from './agent/link.ts';
import type { AgentDefinition } from './agent/registration.ts';

export { Agent } from './agent/agent.ts';
export { type CrashingProcess, reportCrashes } from './agent/crash.ts';
export type { Check, ConfigHook, Hook, Upgrade, UpgradeHandler } from './agent/handlers.ts';
export {
  HOOKS,
  type HookContext,
  type HookFailure,
  type HookName,
  type HookOptions,
  type HookReport,
  type HookRun,
  type HookSubject,
  HookTimeout,
} from './agent/hooks.ts';
export { FleetLink, type LinkOptions } from './agent/link.ts';
export { type CommandHandler, CommandRefused } from './agent/mailbox.ts';
export type { AgentDefinition, Identity } from './agent/registration.ts';
export { type ErrorFields, errorAttributes, errorFields } from './telemetry/error-fields.ts';
export { type LineSink, type LineStream, StreamSink } from './telemetry/line-sink.ts';
export { type Fields, type LineOrigin, type LoggedEvent, type LogLevel, logLine } from './telemetry/log-line.ts';
export { Logger, type LoggerOptions } from './telemetry/logger.ts';
export type { Attributes, AttributeValue } from './telemetry/otlp.ts';
export type { OutboxCounts, OutboxLimits } from './telemetry/outbox.ts';
export type { Log } from './telemetry/reporter.ts';
export { currentSpan, type ModelSpend, type Span, type SpanKind, type SpanOptions } from './telemetry/span.ts';
export { readTraceparent, type TraceContext, writeTraceparent } from './telemetry/traceparent.ts';
export { Backoff } from './wire/backoff.ts';
export { type ClientOptions, FleetClient, type GraphQLAnswer, type SubscribeOptions } from './wire/client.ts';
export { FleetFailure, type GraphQLFault } from './wire/failure.ts';
export { type AgentState, type Move, moveTowards, type Step } from './wire/lifecycle.ts';
export type { AgentCommand, AgentEventReport, CommandOutcome, UserError } from './wire/operations.ts';
export { machine, type Surroundings } from './wire/surroundings.ts';
export { SDK } from './wire/version.ts';

/**
 * Makes this process an agent of the fleet: registered, beating, listening for commands.
 * @param options where the platform is, a token that may register agents, and what the agent is; waits for a platform that is not up yet
 * @throws FleetFailure when the platform refuses the token or the name
 */
export async function connect(options: Omit<LinkOptions, 'shared'> & AgentDefinition): Promise<Agent> {
  const { url, token, surroundings, timeoutMs, metricsEveryMs, runtimeMetrics, traceRatio, ...others } = options;
  const { outbox, lines, ...definition } = others;
  const link = new FleetLink({
    url,
    token,
    ...(surroundings && { surroundings }),
    ...(timeoutMs && { timeoutMs }),
    ...(metricsEveryMs && { metricsEveryMs }),
    ...(runtimeMetrics !== undefined && { runtimeMetrics }),
    ...(traceRatio !== undefined && { traceRatio }),
    ...(outbox && { outbox }),
    ...(lines && { lines }),
  });
  try {
    return await link.connect(definition);
  } catch (error) {
    await link.close(0);
    throw error;
  }
}

/** Many agents in one process over one link: one request a tick for all their beats. @param concurrency registrations at a time */
export async function connectMany(
  options: Omit<LinkOptions, 'shared'>,
  definitions: readonly AgentDefinition[],
  concurrency = 4,
): Promise<{ link: FleetLink; agents: Agent[] }> {
  const link = new FleetLink({ ...options, shared: true });
  const agents: Agent[] = new Array(definitions.length);
  let next = 0;
  const registrar = async () => {
    for (let at = next++; at < definitions.length; at = next++)
      agents[at] = await link.connect(definitions[at] as AgentDefinition);
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, registrar));
  } catch (error) {
    await link.close(0);
    throw error;
  }
  return { link, agents };
}
