/** Another instance of the service, as it is seen at the server. */
export interface OtherInstance {
  readonly instance: string;
  /** Whether its fleet session is there: what it claims is its own until it says otherwise. */
  readonly isPresent: boolean;
  /** The most connections that it may have open, whatever it does until it is seen again. */
  readonly held: number;
}

/** What an instance knows when its turn has come. */
export interface ClaimQuestion {
  /** Connections of the whole service. */
  readonly budget: number;
  /** So many instances are expected, those that are there included. */
  readonly expected: number;
  readonly instance: string;
  /** What it claims now; 0 before it has joined. */
  readonly claim: number;
  /** Below this it does not work. */
  readonly minimum: number;
  /** More than this it could not use. */
  readonly most: number;
  /** Whether it knows what those may hold who were there until a moment ago. */
  readonly mayGrow: boolean;
  readonly others: readonly OtherInstance[];
}

/** With each turn: slow, since whoever has just shrunk for a newcomer need not do it twice. */
const GROWTH = 0.75;

/**
 * How many connections an instance may claim now; 0 when there is no room for it to join yet.
 *
 * Every instance aims at an equal share of the budget, without what is held back for newcomers: the
 * minimum for the next one, and one connection, with which to ask, for each that is expected beyond
 * it. It gives up at once what it has over its share. It grows slowly, and only into what nobody
 * holds. As the instances take turns, the sum of the claims never exceeds the budget.
 */
export function nextClaim(question: ClaimQuestion): number {
  const { budget, claim, minimum, most, others } = question;
  const held = others.reduce((sum, other) => sum + heldBy(other, minimum), 0);
  if (claim === 0) return minimum <= budget - held - yetToCome(question) ? minimum : 0;
  const target = Math.min(most, Math.max(minimum, shareOf(question)));
  if (target <= claim) return target;
  if (!question.mayGrow) return claim;
  const free = budget - heldBack(question) - held;
  const step = Math.max(1, Math.floor(claim * GROWTH));
  return Math.max(claim, Math.min(target, claim + step, free));
}

/** One that cannot see the others goes on with its minimum, however little of it is open now. */
function heldBy({ isPresent, held }: OtherInstance, minimum: number): number {
  return isPresent || held === 0 ? held : Math.max(held, minimum);
}

/** What an instance may have in the end, when all of them have had their turns. */
function shareOf(question: ClaimQuestion): number {
  const { budget, instance, others } = question;
  const present = others.filter(({ isPresent }) => isPresent).map((other) => other.instance);
  const shared = Math.max(0, budget - heldBack(question));
  const instances = present.length + 1;
  // The remainder goes to those whose names come first: everybody finds the same ones.
  const rank = present.filter((other) => other < instance).length;
  return Math.floor(shared / instances) + (rank < shared % instances ? 1 : 0);
}

/** The minimum for the next one, and one connection for each that is expected beyond it. */
function heldBack(question: ClaimQuestion): number {
  return question.minimum + Math.max(0, yetToCome(question) - 1);
}

/** So many have not opened a session yet, and will open one without being asked. */
function yetToCome({ expected, others }: ClaimQuestion): number {
  const present = others.filter(({ isPresent }) => isPresent).length + 1;
  return Math.max(0, expected - present);
}
