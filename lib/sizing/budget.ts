/** How many sessions an application may want: a number of its own, or a part of what it is left. */
export type Budget = { readonly connections: number } | { readonly percent: number };

/** Reads `80` or `'70%'`; undefined of anything else. */
export function readBudget(given: unknown): Budget | undefined {
  if (typeof given === 'number') {
    return Number.isInteger(given) && given >= 1 ? { connections: given } : undefined;
  }
  const text = typeof given === 'string' ? /^(\d{1,3}(?:\.\d+)?)%$/.exec(given)?.[1] : undefined;
  const percent = Number(text);
  return percent > 0 && percent <= 100 ? { percent } : undefined;
}

/** The budget in sessions, of a limit. A number is one whatever the limit is. */
export function budgetIn(budget: Budget, limit: number): number {
  return 'percent' in budget
    ? Math.floor((limit * budget.percent) / 100)
    : Math.min(budget.connections, limit);
}

/** For sentences: `70 %`, `80`. */
export function budgetText(budget: Budget): string {
  return 'percent' in budget ? `${budget.percent} %` : `${budget.connections}`;
}
