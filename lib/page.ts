import { type ClassType, Field, ObjectType } from 'type-graphql';
import type { CursorSealer } from './cursor.ts';
import { FleetError } from './errors.ts';
import { SCALARS } from './graphql/scalars.ts';
import { PageInfo } from './graphql/shared.ts';

/** Items of a page that does not say how many. */
export const DEFAULT_PAGE = 50;
const MAX_PAGE = 100;

/** Relay's paging arguments. */
export interface PageArgs {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

/** What a store is asked for: read `limit + 1` rows so that the page knows whether more follow. */
export interface PageRequest {
  limit: number;
  /** Read from the end of the list; the rows come back in list order all the same. */
  backward: boolean;
  /** Sort key of the row that this page starts behind. */
  after?: unknown[];
  /** Sort key of the row that this page ends before. */
  before?: unknown[];
}

/**
 * Reads paging arguments.
 * @param list the cursor's list: the same name for seal and open, with its order in it if there are several
 * @throws BAD_INPUT outside 1–100 or for first with last, BAD_CURSOR for a forged or foreign cursor
 */
export function readPage(args: PageArgs, cursors: CursorSealer, list: string): PageRequest {
  if (args.first != null && args.last != null) throw new FleetError('BAD_INPUT', 'give `first` or `last`, not both');
  const limit = args.first ?? args.last ?? DEFAULT_PAGE;
  if (limit < 1 || limit > MAX_PAGE) {
    throw new FleetError('BAD_INPUT', `a page has 1 to ${MAX_PAGE} items`, {
      field: [args.last != null ? 'last' : 'first'],
    });
  }
  return {
    limit,
    backward: args.last != null,
    ...(args.after != null ? { after: cursors.open(list, args.after) } : {}),
    ...(args.before != null ? { before: cursors.open(list, args.before) } : {}),
  };
}

export interface Edge<T> {
  cursor: string;
  node: T;
}

export interface Page<T> {
  edges: Edge<T>[];
  nodes: T[];
  pageInfo: PageInfo;
  /** A number, null where it is not known, or a function that counts when asked. */
  totalCount?: number | null | (() => Promise<number | null>);
  changeCursor?: string;
}

/**
 * Makes a connection of the rows a store gave.
 * @param rows up to `limit + 1`, in list order
 * @param keyOf the row's sort key, unique: it becomes the cursor
 */
export function pageOf<T>(
  rows: readonly T[],
  request: PageRequest,
  cursors: CursorSealer,
  list: string,
  keyOf: (row: T) => unknown[],
): Page<T> {
  const more = rows.length > request.limit;
  const kept = !more ? rows : request.backward ? rows.slice(rows.length - request.limit) : rows.slice(0, request.limit);
  const edges = kept.map((node) => ({ cursor: cursors.seal(list, keyOf(node)), node }));
  return {
    edges,
    nodes: [...kept],
    pageInfo: Object.assign(new PageInfo(), {
      hasNextPage: request.backward ? request.before !== undefined : more,
      hasPreviousPage: request.backward ? more : request.after !== undefined,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    }),
  };
}

/**
 * The GraphQL types `<name>Edge` and `<name>Connection` of a node class.
 * @param streamed whether pages of it also carry `changeCursor`
 */
export function connectionOf<T extends object>(node: () => ClassType<T>, name: string, streamed = false) {
  @ObjectType(`${name}Edge`, { description: `A ${name} in its list.` })
  class NodeEdge {
    @Field({ description: 'Goes on from here with `after` or `before`.' })
    cursor!: string;

    @Field(() => node(), { description: 'The item.' })
    node!: T;
  }

  @ObjectType(`${name}Connection`, { description: `A page of a list of ${name}.` })
  class Connection {
    @Field(() => [NodeEdge], { description: 'The items with their cursors.' })
    edges!: NodeEdge[];

    @Field(() => [node()], { description: 'The items.' })
    nodes!: T[];

    @Field(() => PageInfo, { description: 'Where the page stands.' })
    pageInfo!: PageInfo;

    @Field(() => SCALARS.SafeInt, {
      nullable: true,
      description: 'How many there are in all; null where counting took too long.',
    })
    totalCount?: number | null | (() => Promise<number | null>);
  }
  if (!streamed) return { Edge: NodeEdge, Connection: Connection as ClassType<Page<T>> };

  @ObjectType(`${name}Connection`, { description: `A page of a list of ${name}.` })
  class StreamedConnection extends Connection {
    @Field({ description: 'The moment of this page in the change stream: subscribe `after` it and nothing is missed.' })
    changeCursor!: string;
  }
  return { Edge: NodeEdge, Connection: StreamedConnection as ClassType<Page<T>> };
}
