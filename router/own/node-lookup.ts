import DataLoader from 'dataloader';
import type { Call } from '../../lib/call/signing.ts';
import { asFleetError, ERROR_CODES, type ErrorCode, FleetError } from '../../lib/errors.ts';
import { readNodeId } from '../../lib/node-id.ts';
import type { GraphAnswer, SubgraphCaller } from '../engine.ts';
import type { NodeOwners } from './node-owners.ts';

/** A node that exists; its owner fills its fields. */
export interface NodeStub {
  __typename: string;
  id: string;
}

export type NodeLoader = DataLoader<string, NodeStub | null>;

/** Finds out which nodes exist, by asking their owners as the caller: all of a request in one call to each owner. */
export function nodeLoader(owners: NodeOwners, caller: SubgraphCaller, call: Call): NodeLoader {
  return new DataLoader(async (ids) => {
    const byOwner = new Map<string, NodeStub[]>();
    for (const id of ids) {
      const type = readNodeId(id)?.type;
      const owner = type && owners.get(type);
      if (!type || !owner) continue;
      byOwner.set(owner, [...(byOwner.get(owner) ?? []), { __typename: type, id }]);
    }
    const found = new Map<string, NodeStub | null | Error>();
    await Promise.all([...byOwner].map(([owner, stubs]) => ask(owner, stubs, caller, call, found)));
    return ids.map((id) => found.get(id) ?? null);
  });
}

async function ask(
  owner: string,
  stubs: readonly NodeStub[],
  caller: SubgraphCaller,
  call: Call,
  found: Map<string, NodeStub | null | Error>,
): Promise<void> {
  const types = [...new Set(stubs.map(({ __typename }) => __typename))];
  const query = `query ($representations: [_Any!]!) { _entities(representations: $representations) { __typename ${types
    .map((type) => `... on ${type} { id }`)
    .join(' ')} } }`;
  try {
    const answer = await caller.execute(owner, { query, variables: { representations: stubs } }, call);
    const entities = (answer.data?.['_entities'] ?? []) as (unknown | null)[];
    stubs.forEach((stub, place) => {
      found.set(stub.id, entities[place] ? stub : faultAt(answer, place, owner));
    });
  } catch (error) {
    const known = asFleetError(error) ?? unavailable(owner);
    for (const { id } of stubs) found.set(id, known);
  }
}

/** Why there is nothing at this place: an error, or that there is no such node. */
function faultAt(answer: GraphAnswer, place: number, owner: string): Error | null {
  const error = answer.errors?.find(({ path }) => !path || path.length < 2 || path[1] === place);
  if (!error) return null;
  const code = error.extensions?.['code'];
  return typeof code === 'string' && code in ERROR_CODES
    ? new FleetError(code as ErrorCode, error.message)
    : unavailable(owner);
}

function unavailable(subgraph: string): FleetError {
  return new FleetError('SUBGRAPH_UNAVAILABLE', `${subgraph} cannot answer now`, { subgraph });
}
