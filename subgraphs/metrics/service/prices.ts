import { AgentUsage, ModelUsage } from '../entity/usage.ts';

/** US dollars per million tokens, by model. */
export type Prices = Readonly<Record<string, { input: number; output: number }>>;

/** Tokens that an agent spent on a model. */
export interface Spending {
  model: string;
  inputTokens: number;
  outputTokens: number;
}

/**
 * The price of a model: by its name, else by the longest listed name that it is a version of (`gpt-5-2025-08-07` is a
 * `gpt-5`), with or without the provider before a slash.
 */
export function priceOf(prices: Prices, model: string): { input: number; output: number } | undefined {
  const bare = model.slice(model.lastIndexOf('/') + 1);
  const exact = prices[model] ?? prices[bare];
  if (exact) return exact;
  const [longest] = Object.keys(prices)
    .filter((name) => bare.startsWith(name) && /^[-@:]/.test(bare.slice(name.length)))
    .sort((a, b) => b.length - a.length);
  return longest === undefined ? undefined : prices[longest];
}

/** What so many tokens cost, by model and in all. */
export function usageOf(tasks: number, spending: readonly Spending[], prices: Prices): AgentUsage {
  const byModel = spending.map(({ model, inputTokens, outputTokens }) => {
    const price = priceOf(prices, model) ?? { input: 0, output: 0 };
    const cost = (inputTokens * price.input + outputTokens * price.output) / 1_000_000;
    return Object.assign(new ModelUsage(), { model, inputTokens, outputTokens, cost });
  });
  byModel.sort((a, b) => b.cost - a.cost || (a.model < b.model ? -1 : 1));
  const sum = (pick: (usage: ModelUsage) => number) => byModel.reduce((total, usage) => total + pick(usage), 0);
  return Object.assign(new AgentUsage(), {
    tasks,
    inputTokens: sum((usage) => usage.inputTokens),
    outputTokens: sum((usage) => usage.outputTokens),
    cost: sum((usage) => usage.cost),
    byModel,
  });
}
