/** What a server has to work with. */
export interface Hardware {
  readonly databaseCores: number;
  /** Effective spindles: disks that a statement may wait for while another computes. */
  readonly spindles: number;
}

/**
 * How many connections a server can work on at once: (cores x 2) + effective spindles, at least 1.
 * With more, statements wait for each other inside the server instead of in the queue of a pool.
 *
 * A rule of thumb for short transactions. Its sources say "the number of spindles, 0 when all data
 * is cached", and that nobody has measured it for SSDs; here an SSD counts as one.
 *
 * @see https://wiki.postgresql.org/wiki/Number_Of_Database_Connections
 * @see https://github.com/brettwooldridge/HikariCP/wiki/About-Pool-Sizing
 */
export function connectionsFor({ databaseCores, spindles }: Hardware): number {
  return Math.max(1, Math.floor(databaseCores * 2 + spindles));
}

const MOST_WEIGHT = 1_000_000;

/** Whether a pool may have this weight: above 0, at most a million. */
export function isWeight(weight: number): boolean {
  return weight > 0 && weight <= MOST_WEIGHT;
}

/**
 * Divides connections in the proportion of weights: at least 1 for each, the largest remainders
 * are rounded up, and the sum is `connections` unless there are more weights than those.
 */
export function shares(connections: number, weights: readonly number[]): number[] {
  const result = weights.map(() => 1);
  const spare = connections - weights.length;
  if (spare <= 0) return result;

  // Whoever is worth less than 1 has its 1; the others divide what is left.
  let open = weights.map((_, index) => index);
  let left = connections;
  for (;;) {
    const sum = total(open.map((index) => weights[index]!));
    const tooSmall = open.filter((index) => (left * weights[index]!) / sum < 1);
    if (tooSmall.length === 0) break;
    open = open.filter((index) => !tooSmall.includes(index));
    left -= tooSmall.length;
  }
  const sum = total(open.map((index) => weights[index]!));
  const ideal = new Map(open.map((index) => [index, (left * weights[index]!) / sum] as const));
  for (const [index, share] of ideal) result[index] = Math.floor(share);
  const rest = left - total(open.map((index) => result[index]!));
  const byRemainder = open.toSorted((a, b) => (ideal.get(b)! % 1) - (ideal.get(a)! % 1));
  for (const index of byRemainder.slice(0, rest)) result[index]! += 1;
  return result;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
