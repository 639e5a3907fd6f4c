import type { GraphQLSchema } from 'graphql';
import { type AccessTable, mayAccess } from '../../../../lib/access.ts';
import type { Principal } from '../../../../lib/call/principal.ts';
import type { Call } from '../../../../lib/call/signing.ts';
import type { Shortcut } from '../../../../lib/subgraph.ts';
import type { Beat, BeatAnswer, Beats } from '../../service/beats.ts';
import type { AgentsContext } from '../context.ts';
import { type BeatOperation, beatOperationOf } from './beat-operation.ts';
import { plainBeat, plainBeats } from './plain-beat.ts';
import { writtenAnswer } from './written-answer.ts';

/** Documents that are remembered: the router and each SDK have one or two of their own. */
const MOST_DOCUMENTS = 200;

type Taken = { answers: BeatAnswer[] } | { error: unknown };

/**
 * The short road of beats: they are nearly all that a fleet asks, and the schema's own was half of their processor time. It
 * takes what is plain, and answers what is plain; everything else the schema reads, refuses or writes as ever.
 */
export class BeatRoad {
  readonly #known = new Map<string, BeatOperation | undefined>();

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly access: AccessTable,
    private readonly contextOf: (call: Call) => AgentsContext,
  ) {}

  /** The road of a request; undefined for any that does not take beats alone. */
  shortcut(query: unknown, operationName: unknown): Shortcut | undefined {
    const operation = typeof query === 'string' ? this.#operationOf(query) : undefined;
    if (!operation || (operationName != null && operationName !== operation.name)) return undefined;
    return (variables, call) => this.#pass(operation, variables, call);
  }

  #operationOf(query: string): BeatOperation | undefined {
    if (!query.includes('agentBeat') || this.#known.has(query)) return this.#known.get(query);
    const operation = beatOperationOf(query, this.schema);
    if (this.#known.size >= MOST_DOCUMENTS) this.#known.clear();
    this.#known.set(query, operation);
    return operation;
  }

  async #pass(
    operation: BeatOperation,
    variables: Record<string, unknown>,
    call: Call,
  ): Promise<string | AgentsContext> {
    const context = this.contextOf(call);
    const input = variables[operation.variable];
    const one = operation.isMany ? undefined : plainBeat(input);
    const beats = operation.isMany ? plainBeats(input) : one && [one];
    if (!beats || !this.#mayCall(operation, call.principal)) return context;
    const taken = await takenBy(context.services.beats, call.principal, beats);
    const text = 'answers' in taken ? writtenAnswer(operation, taken.answers) : undefined;
    // The beats are taken: the schema writes what became of them, and takes them no second time.
    return text ?? { ...context, services: { ...context.services, beats: outcomeOf(taken) } };
  }

  #mayCall({ isMany, fields }: BeatOperation, principal: Principal): boolean {
    const may = (type: string, field: string) => mayAccess(this.access, principal, type, field);
    return (
      may('Mutation', isMany ? 'agentBeats' : 'agentBeat') &&
      (!isMany || may('AgentBeatsPayload', 'beats')) &&
      fields.every(({ name }) => name === '__typename' || may('AgentBeatPayload', name))
    );
  }
}

async function takenBy(service: Pick<Beats, 'takeAll'>, principal: Principal, beats: readonly Beat[]): Promise<Taken> {
  try {
    return { answers: await service.takeAll(principal, beats) };
  } catch (error) {
    return { error };
  }
}

/** The service of beats, as far as a request goes whose beats were taken before. */
function outcomeOf(taken: Taken): Pick<Beats, 'take' | 'takeAll'> {
  const takeAll = async () => {
    if ('error' in taken) throw taken.error;
    return taken.answers;
  };
  return { takeAll, take: async () => (await takeAll())[0] as BeatAnswer };
}
