export interface Announcement {
  versions: string;
  url: string;
  tokenFile: string;
  /** Only when the token was made by this start. */
  newToken?: string | undefined;
  demo: boolean;
}

/** What a start says once it is ready: at most seven lines, for npm adds its own. */
export function announcement({ versions, url, tokenFile, newToken, demo }: Announcement): string[] {
  return [
    `fleetgraph is ready (${versions})${demo ? ' with the demo fleet' : ''}`,
    `  open   ${url}/${newToken ? `#token=${newToken}` : ''}`,
    `  token  ${newToken ? `${newToken} (shown once; kept in ${tokenFile})` : `in ${tokenFile}`}`,
    '  next   npx fleet status',
    '         npx fleet alerts --watch',
    '         npx fleet logs --follow',
    '  stop   Ctrl-C',
  ];
}
