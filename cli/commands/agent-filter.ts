/** Options that name agents. */
export interface AgentOptions {
  kind?: string[];
  state?: string[];
  presence?: string[];
  label?: string[];
}

/** The API's filter of what a command line says. */
export function filterOf(query: string | undefined, options: AgentOptions) {
  return {
    query,
    kinds: options.kind,
    states: options.state?.map((state) => state.toUpperCase()),
    presences: options.presence?.map((presence) => presence.toUpperCase()),
    labels: options.label?.map((label) => matcherOf(label)),
  };
}

/** `name=value`, `name!=value`, `name=~pattern`, `name!~pattern`. */
function matcherOf(text: string): { name: string; op: string; value: string } {
  const [, name = text, sign = '=', value = ''] = /^(.+?)(!=|=~|!~|=)(.*)$/s.exec(text) ?? [];
  const op = { '=': 'EQ', '!=': 'NE', '=~': 'RE', '!~': 'NRE' }[sign] as string;
  return { name, op, value };
}
