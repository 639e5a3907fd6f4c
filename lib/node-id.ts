import { FleetError } from './errors.ts';

/** The opaque global id of a node: base64url of `Type:uuid`. */
export function nodeId(type: string, uuid: string): string {
  return Buffer.from(`${type}:${uuid}`).toString('base64url');
}

/** The type and uuid of a global id, or undefined when it is none. */
export function readNodeId(id: string): { type: string; uuid: string } | undefined {
  const match = /^([A-Z][A-Za-z0-9]*):([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$/.exec(
    Buffer.from(id, 'base64url').toString('latin1'),
  );
  return match ? { type: match[1] as string, uuid: match[2] as string } : undefined;
}

/**
 * The uuid in a global id of this type, for an argument that must be one.
 * @throws BAD_INPUT when it is not an id of that type
 */
export function uuidOf(type: string, id: string, field: string[] = ['id']): string {
  const read = readNodeId(id);
  if (read?.type !== type) throw new FleetError('BAD_INPUT', `this is no id of the type ${type}`, { field });
  return read.uuid;
}
