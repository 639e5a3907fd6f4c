import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLFormattedError,
  getOperationAST,
  getVariableValues,
  type OperationDefinitionNode,
  parse,
  validate,
  visit,
} from 'graphql';
import { type ErrorCode, FleetError, messageOf } from '../../lib/errors.ts';
import type { GraphRequest, Prepared, Refused } from '../engine.ts';
import { isReservedKey } from '../execute/projection.ts';
import { ByteCache } from './byte-cache.ts';
import { type PlannedOperation, type PlanningOptions, planOperation } from './operation.ts';

export interface PreparationOptions extends PlanningOptions {
  /** What planned operations may take together, bytes. */
  cacheBytes: number;
  /** Lexical tokens a document may have. */
  maxTokens: number;
  /** Whether refusals may say "Did you mean". */
  showSuggestions: boolean;
  /** Told when the planner fails on a valid operation. */
  onPlanFailure(error: string): void;
}

/** A planned operation with the variables of one request. */
export interface PreparedOperation extends Prepared {
  readonly operation: PlannedOperation;
}

type Outcome = PlannedOperation | Refused;

const MAX_ERRORS = 20;

/** Parses, validates and plans each document once. */
export class Preparation {
  readonly #outcomes: ByteCache<Promise<Outcome>>;

  constructor(private readonly options: PreparationOptions) {
    this.#outcomes = new ByteCache(options.cacheBytes);
  }

  /** Never throws for a client's mistake: it is told in the outcome. */
  async prepare(request: GraphRequest): Promise<PreparedOperation | Refused> {
    const outcome = await this.#outcome(request.query, request.operationName);
    if ('errors' in outcome) return outcome;
    const { schema } = this.options.supergraph;
    const { errors, coerced } = getVariableValues(
      schema,
      outcome.definition.variableDefinitions ?? [],
      request.variables ?? {},
      { maxErrors: MAX_ERRORS, hideSuggestions: !this.options.showSuggestions },
    );
    if (errors) return { errors: errors.map((error) => refusal('BAD_INPUT', error)) };
    const { kind, name, rootFields, document, introspection } = outcome;
    return { kind, name, rootFields, document, variables: coerced, introspects: !!introspection, operation: outcome };
  }

  /** What the cache holds, for metrics. */
  get size(): { entries: number; sizeBytes: number } {
    return this.#outcomes.size;
  }

  #outcome(query: string, operationName: string | undefined): Promise<Outcome> {
    const key = `${operationName ?? ''}\n${query}`;
    const known = this.#outcomes.get(key);
    if (known) return known;
    const made = this.#make(query, operationName);
    // Weighed by its text until the plan is there; requests that come meanwhile wait for the same plan.
    this.#outcomes.set(key, made, 2 * key.length);
    made.then(
      (outcome) => this.#outcomes.set(key, made, 2 * key.length + ('errors' in outcome ? 1_000 : outcome.sizeBytes)),
      () => this.#outcomes.delete(key),
    );
    return made;
  }

  async #make(query: string, operationName: string | undefined): Promise<Outcome> {
    const { supergraph, maxTokens, showSuggestions } = this.options;
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens });
    } catch (error) {
      return { errors: [refusal('BAD_QUERY', error as GraphQLError)] };
    }
    const refused = unsupported(document);
    if (refused) return { errors: [refused] };
    const invalid = validate(supergraph.schema, document, undefined, {
      maxErrors: MAX_ERRORS,
      hideSuggestions: !showSuggestions,
    });
    if (invalid.length > 0) return { errors: invalid.map((error) => refusal('BAD_QUERY', error)) };
    const definition = getOperationAST(document, operationName);
    if (!definition) return { errors: [unknownOperation(operationName)] };
    return this.#plan(document, definition);
  }

  async #plan(document: DocumentNode, definition: OperationDefinitionNode): Promise<Outcome> {
    try {
      return await planOperation(document, definition, this.options);
    } catch (error) {
      if (error instanceof FleetError) return { errors: [formatted(error)] };
      this.options.onPlanFailure(messageOf(error));
      return { errors: [formatted(new FleetError('INTERNAL', 'the router could not plan this operation'))] };
    }
  }
}

function formatted(error: FleetError): GraphQLFormattedError {
  return { message: error.message, extensions: error.extensions };
}

function refusal(code: ErrorCode, { message, locations }: GraphQLError): GraphQLFormattedError {
  const { extensions } = new FleetError(code, message);
  return { message, ...(locations ? { locations } : {}), extensions };
}

function unknownOperation(name: string | undefined): GraphQLFormattedError {
  const message =
    name === undefined
      ? 'the document has several operations: say which by operationName'
      : 'the document has no operation of that name';
  return formatted(new FleetError('BAD_QUERY', message));
}

/** What the language knows and this router does not do. */
function unsupported(document: DocumentNode): GraphQLFormattedError | undefined {
  let found: FleetError | undefined;
  visit(document, {
    Directive({ name }) {
      if (name.value === 'defer' || name.value === 'stream') {
        found ??= new FleetError(
          'BAD_INPUT',
          `@${name.value} is not supported: ask without it, the answer comes whole`,
        );
      }
    },
    Field({ alias }) {
      if (alias && isReservedKey(alias.value))
        found ??= new FleetError('BAD_QUERY', `${alias.value} cannot be an alias`);
    },
    OperationDefinition({ operation, selectionSet }) {
      if (operation !== 'subscription') return;
      if (selectionSet.selections.some((each) => (each.directives ?? []).length > 0)) {
        found ??= new FleetError('BAD_QUERY', "a subscription's field cannot be conditional");
      }
    },
  });
  return found && formatted(found);
}
