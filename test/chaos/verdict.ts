/** One figure of a scenario, and whether it is good enough. */
export interface Verdict {
  what: string;
  figure: string;
  passed: boolean;
}

export interface Scenario {
  name: string;
  /** @param short the form that CI runs */
  run(short: boolean): Promise<Verdict[]>;
}

export function verdict(what: string, figure: number | string, passed: boolean): Verdict {
  return { what, figure: String(figure), passed };
}
