/** A bucket of any S3 for what is old. */
export interface ColdDisk {
  /** Bucket and folder, with a slash at the end. */
  url: string;
  region?: string | undefined;
  /** Absent for a bucket that asks for none. */
  key?: { id: string; secret: string } | undefined;
}

/** The storage policy of the embedded engine that has such a disk: volumes `default` and `cold`. */
export const COLD_POLICY = 'fleet';
/** Where the engine keeps what it knows of the disk, in its folder. */
export const COLD_METADATA = 'disks/cold';

/** The disk and its policy as the engine's configuration has them. It holds the key's secret. */
export function coldConfiguration({ url, region, key }: ColdDisk): string {
  const words: Record<string, string | undefined> = {
    type: 's3',
    endpoint: url,
    region,
    access_key_id: key?.id,
    secret_access_key: key?.secret,
    no_sign_request: key ? undefined : '1',
  };
  const disk = Object.entries(words)
    .map(([name, value]) => (value === undefined ? '' : `<${name}>${escaped(value)}</${name}>`))
    .join('');
  // The first volume is called as the engine's own policy calls it: tables that are there may change over.
  const volumes = '<default><disk>default</disk></default><cold><disk>cold</disk></cold>';
  return `  <storage_configuration>
    <disks><cold>${disk}</cold></disks>
    <policies><${COLD_POLICY}><volumes>${volumes}</volumes></${COLD_POLICY}></policies>
  </storage_configuration>\n`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
