/** One figure of a scenario, and whether it is good enough. */
export interface Verdict {
  what: string;
  figure: string;
  passed: boolean;
}

export interface Scenario {
  name: string;
  /** @param short the form that CI runs @param long one that takes hours, where there is one */
  run(short: boolean, long: boolean): Promise<Verdict[]>;
}

export function verdict(what: string, figure: number | string, passed: boolean): Verdict {
  return { what, figure: String(figure), passed };
}

/** A figure of time: judged in the full form, which has the machine to itself; CI's short one runs beside other load, and tells it. */
export function timed(short: boolean, what: string, figure: number | string, passed: boolean): Verdict {
  return verdict(what, short && !passed ? `${figure} (too long, were it judged here)` : figure, short || passed);
}
