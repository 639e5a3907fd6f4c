import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLFormattedError,
  getOperationAST,
  type OperationDefinitionNode,
  parse,
  validate,
  visit,
} from 'graphql';
import { type ErrorCode, FleetError, messageOf } from '../../lib/errors.ts';
import type { CacheSize, GraphRequest, Prepared, Refused, Remembered } from '../engine.ts';
import { isReservedKey } from '../execute/projection.ts';
import { withoutPlaces } from './bare-document.ts';
import { ByteCache } from './byte-cache.ts';
import { decidingVariables } from './conditions.ts';
import {
  type Deciding,
  fragmentsOf,
  type PlannedOperation,
  type PlanningOptions,
  planOperation,
  selectionsOf,
} from './operation.ts';
import { coerceVariables } from './variables.ts';

export interface PreparationOptions extends PlanningOptions {
  /** What planned operations may take together, bytes. */
  cacheBytes: number;
  /** Lexical tokens a document may have. */
  maxTokens: number;
  /** Whether refusals may say "Did you mean". */
  showSuggestions: boolean;
  /** Draws in [0, 1) which of the `percent(n)` labels of overrides are on, for each request. */
  random(): number;
  /** Told when the planner fails on a valid operation. */
  onPlanFailure(error: string): void;
}

/** A planned operation with the variables of one request. */
export interface PreparedOperation extends Prepared {
  readonly operation: PlannedOperation;
}

/** A valid document's operation, before its variables are known. */
interface Reading {
  readonly document: DocumentNode;
  readonly definition: OperationDefinitionNode;
  readonly deciding: readonly string[];
  /** Of the document: fields, names, arguments, … */
  readonly parts: number;
}

type Planned = PlannedOperation | Refused;
type Outcome = PreparedOperation | Refused;

const MAX_ERRORS = 20;
/** What an operation may be called. */
const NAME = /^[_A-Za-z][_0-9A-Za-z]*$/;
/** Measured (test/router/core/cache-heap.test.ts): what a part of a document and a refusal take. */
const PART_BYTES = 100;
const REFUSAL_BYTES = 500;

/** Parses and validates each document once, and plans it once for each outcome of its conditions. */
export class Preparation {
  readonly #readings: ByteCache<Reading | Refused>;
  readonly #plans: ByteCache<Planned | Promise<Planned>>;

  constructor(private readonly options: PreparationOptions) {
    this.#readings = new ByteCache(options.cacheBytes / 2);
    this.#plans = new ByteCache(options.cacheBytes / 2);
  }

  /** Never throws for a client's mistake: it is told in the outcome. */
  prepare(request: GraphRequest): Outcome | Promise<Outcome> {
    const { operationName } = request;
    // What is no name may not be looked up: with its line breaks it could stand for another operation's name and text.
    if (operationName !== undefined && !NAME.test(operationName)) return { errors: [unknownOperation(operationName)] };
    const document = keyOf(request);
    const reading = request.suggests ? this.#parse(request, false) : this.#read(document, request);
    if ('errors' in reading) return reading;
    const { supergraph, showSuggestions } = this.options;
    const declared = reading.definition.variableDefinitions ?? [];
    const variables = coerceVariables(
      supergraph.schema,
      declared,
      request.variables ?? {},
      !(showSuggestions || request.suggests),
    );
    if ('errors' in variables) return { errors: variables.errors.map((error) => refusal('BAD_INPUT', error)) };
    const { coerced } = variables;
    const operation = this.#planned(document, reading, coerced);
    return operation instanceof Promise
      ? operation.then((planned) => ready(planned, reading, coerced))
      : ready(operation, reading, coerced);
  }

  /** What was planned and asked for most, the most first. */
  hottest(most: number): Remembered[] {
    return this.#plans.hottest(most).map(rememberedOf);
  }

  /** Plans what another engine had planned, so that nobody waits for it here. Never throws: what has no plan has none. */
  async planAhead({ query, operationName, conditions }: Remembered): Promise<void> {
    const document = keyOf({ query, operationName });
    const reading = this.#read(document, { query, operationName });
    // Another schema may refuse it.
    if ('errors' in reading || reading.deciding.length !== conditions.length) return;
    await this.#planned(
      document,
      reading,
      Object.fromEntries(reading.deciding.map((name, at) => [name, conditions[at]])),
    );
  }

  /** What the caches hold, for metrics. */
  get caches(): { documents: CacheSize; plans: CacheSize } {
    return { documents: this.#readings.size, plans: this.#plans.size };
  }

  #read(key: string, request: GraphRequest): Reading | Refused {
    const known = this.#readings.get(key);
    if (known) return known;
    const reading = this.#parse(request, !this.options.showSuggestions);
    const weight = 'errors' in reading ? REFUSAL_BYTES * reading.errors.length : PART_BYTES * reading.parts;
    this.#readings.set(key, reading, 1_000 + 2 * key.length + weight);
    return reading;
  }

  #parse({ query, operationName }: GraphRequest, hideSuggestions: boolean): Reading | Refused {
    const { supergraph, maxTokens } = this.options;
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens });
    } catch (error) {
      return { errors: [refusal('BAD_QUERY', error as GraphQLError)] };
    }
    const refused = unsupported(document);
    if (refused) return { errors: [refused] };
    const limits = { maxErrors: MAX_ERRORS, hideSuggestions };
    const invalid = validate(supergraph.schema, document, undefined, limits);
    if (invalid.length > 0) return { errors: invalid.map((error) => refusal('BAD_QUERY', error)) };
    const definition = getOperationAST(document, operationName);
    if (!definition) return { errors: [unknownOperation(operationName)] };
    // Validation passes over what has no root to be validated against.
    if (!supergraph.schema.getRootType(definition.operation)) {
      return { errors: [formatted(new FleetError('BAD_QUERY', `the schema has no ${definition.operation}s`))] };
    }
    const deciding = decidingVariables([definition, ...fragmentsOf(document).values()]);
    return { document, definition, deciding, parts: withoutPlaces(document) };
  }

  #planned(
    document: string,
    reading: Reading,
    variables: Readonly<Record<string, unknown>>,
  ): Planned | Promise<Planned> {
    const decided = reading.deciding.map((name) => variables[name] === true);
    const { overrideShares } = this.options.supergraph;
    const draw = overrideShares.isEmpty ? 0 : this.options.random() * 100;
    const place = overrideShares.placeOf(draw) + decided.map(Number).join('');
    const key = place === '' ? document : `${place}\n${document}`;
    const known = this.#plans.get(key);
    if (known) return known;
    const conditions = Object.fromEntries(reading.deciding.map((name, at) => [name, decided[at] === true]));
    const plan = this.#plan(reading, { conditions, draw });
    // Weighed by its text until it is there; requests that come meanwhile wait for the same plan.
    this.#plans.set(key, plan, 2 * key.length);
    plan.then(
      (made) => {
        if (isPassing(made)) this.#plans.delete(key);
        else this.#plans.set(key, made, 2 * key.length + ('errors' in made ? 1_000 : made.sizeBytes));
      },
      () => this.#plans.delete(key),
    );
    return plan;
  }

  async #plan({ document, definition, parts }: Reading, deciding: Deciding): Promise<PlannedOperation | Refused> {
    try {
      return await planOperation({ document, definition, parts }, deciding, this.options);
    } catch (error) {
      if (error instanceof FleetError) return { errors: [formatted(error)] };
      this.options.onPlanFailure(messageOf(error));
      return { errors: [formatted(new FleetError('INTERNAL', 'the router could not plan this operation'))] };
    }
  }
}

function keyOf({ operationName, query }: GraphRequest): string {
  return `${operationName ?? ''}\n${query}`;
}

/** Of a key as `#planned` makes it: a share and conditions stand before it as digits, with which no operation's name begins. */
function rememberedOf(key: string): Remembered {
  const [, share = '', decided = ''] = /^(\d+%|)([01]*)\n/.exec(key) ?? [];
  const place = share + decided;
  const [operationName, query] = split(place === '' ? key : key.slice(place.length + 1));
  return {
    query,
    operationName: operationName === '' ? undefined : operationName,
    conditions: [...decided].map((digit) => digit === '1'),
  };
}

function split(document: string): [string, string] {
  const end = document.indexOf('\n');
  return [document.slice(0, end), document.slice(end + 1)];
}

function costOf(operation: PlannedOperation, variables: Readonly<Record<string, unknown>>): number | Refused {
  try {
    return operation.cost(variables);
  } catch (error) {
    if (error instanceof FleetError) return { errors: [formatted(error)] };
    throw error;
  }
}

/** A planned operation with one request's variables. */
function ready(operation: Planned, { document }: Reading, variables: Readonly<Record<string, unknown>>): Outcome {
  if ('errors' in operation) return operation;
  const { kind, name, rootFields, introspection } = operation;
  const cost = costOf(operation, variables);
  if (typeof cost !== 'number') return cost;
  return { kind, name, rootFields, document, variables, cost, introspects: introspection !== undefined, operation };
}

/** A refusal that may be none the next time. */
function isPassing(made: PlannedOperation | Refused): boolean {
  return 'errors' in made && made.errors.some(({ extensions }) => extensions?.['retryable'] === true);
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
      if (selectionsOf(selectionSet, fragmentsOf(document)).some((each) => (each.directives ?? []).length > 0)) {
        found ??= new FleetError('BAD_QUERY', "a subscription's field cannot be conditional");
      }
    },
  });
  return found && formatted(found);
}
