/** How many sessions an application may want: a number of its own, or a part of what it is left. */
export type Budget = { readonly connections: number } | { readonly part: number };

/** Reads `80` or `'70%'`; undefined of anything else. */
export function readBudget(given: unknown): Budget | undefined {
  if (typeof given === 'number') {
    return Number.isInteger(given) && given >= 1 ? { connections: given } : undefined;
  }
  const percent = typeof given === 'string' ? /^(\d{1,3}(?:\.\d+)?)%$/.exec(given)?.[1] : undefined;
  const part = Number(percent) / 100;
  return part > 0 && part <= 1 ? { part } : undefined;
}

/** The budget in sessions, of a limit. A number is one whatever the limit is. */
export function budgetIn(budget: Budget, limit: number): number {
  return 'part' in budget ? Math.floor(limit * budget.part) : Math.min(budget.connections, limit);
}

/** For sentences: `70 %`, `80`. */
export function budgetText(budget: Budget): string {
  return 'part' in budget ? `${Number((budget.part * 100).toFixed(1))} %` : `${budget.connections}`;
}
