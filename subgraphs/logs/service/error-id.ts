const MARK = '000000000000';

/**
 * The uuid of a group of errors: its fingerprint's 64 bits in a uuid of version 8, so that an id needs no table.
 * @param fingerprint decimal
 */
export function uuidOfFingerprint(fingerprint: string): string {
  const hex = BigInt(fingerprint).toString(16).padStart(16, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(12, 15)}-8${hex.slice(15)}00-${MARK}`;
}

/** The fingerprint in a uuid, decimal; undefined when it is not one of ours. */
export function fingerprintOfUuid(uuid: string): string | undefined {
  const match = /^([0-9a-f]{8})-([0-9a-f]{4})-8([0-9a-f]{3})-8([0-9a-f])00-0{12}$/.exec(uuid);
  return match ? String(BigInt(`0x${match.slice(1).join('')}`)) : undefined;
}
