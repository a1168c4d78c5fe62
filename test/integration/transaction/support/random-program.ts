import fc from 'fast-check';
import type { UnderTest } from './test-transactions.js';

interface Statement {
  readonly does: 'insert' | 'fail';
}

interface Part {
  readonly does: 'nested' | 'joined';
  readonly steps: readonly Step[];
  readonly throws: boolean;
}

interface All {
  readonly does: 'all';
  readonly steps: readonly Step[];
}

/** A step of somebody's work, which they may wrap in a try block without a word in its catch. */
export type Step = (Statement | Part | All) & { readonly swallows: boolean };

function isStatement(step: Statement | Part | All): step is Statement {
  return step.does === 'insert' || step.does === 'fail';
}

export interface Program {
  readonly steps: readonly Step[];
  readonly throws: boolean;
}

const swallows = fc.boolean();
const throws = fc.boolean();

const arbitrary = fc.letrec<{ step: Step; steps: Step[]; plain: Step; part: Step; all: Step }>(
  (tie) => ({
    plain: fc.record({
      does: fc.constantFrom(
        'insert' as const,
        'insert' as const,
        'insert' as const,
        'fail' as const,
      ),
      swallows,
    }),
    part: fc.record({
      does: fc.constantFrom('nested' as const, 'nested' as const, 'joined' as const),
      steps: tie('steps'),
      throws,
      swallows,
    }),
    // What joins shares its scope with the others, in an order that nobody knows.
    all: fc.record({
      does: fc.constant('all' as const),
      steps: tie('steps').map((steps) => steps.filter(({ does }) => does !== 'joined')),
      swallows,
    }),
    steps: fc.array(tie('step'), { maxLength: 4, depthIdentifier: 'program' }),
    step: fc.oneof(
      { depthIdentifier: 'program', maxDepth: 3 },
      { arbitrary: tie('plain'), weight: 3 },
      { arbitrary: tie('part'), weight: 3 },
      { arbitrary: tie('all'), weight: 1 },
    ),
  }),
);

export const programs: fc.Arbitrary<Program> = fc.record({
  steps: fc.array(arbitrary.step, { minLength: 1, maxLength: 5 }),
  throws,
});

/** Numbers the inserts in the order in which they are written. */
class Numbers {
  #last = 0;
  readonly #of = new Map<Step, number>();

  constructor(steps: readonly Step[]) {
    this.#count(steps);
  }

  of(step: Step): number {
    return this.#of.get(step)!;
  }

  #count(steps: readonly Step[]): void {
    for (const step of steps) {
      if (!isStatement(step)) this.#count(step.steps);
      else if (step.does === 'insert') this.#of.set(step, (this.#last += 1));
    }
  }
}

/** Runs it for real. @returns whether it was committed */
export async function execute(
  program: Program,
  { pool, transactions }: UnderTest,
): Promise<boolean> {
  const numbers = new Numbers(program.steps);
  const insert = (id: number): Promise<unknown> => {
    // With and without parameters, one and several statements at a time.
    if (id % 3 === 0) return pool.query(`INSERT INTO entry VALUES (${id}); SELECT 1`);
    if (id % 3 === 1) return pool.query('INSERT INTO entry VALUES ($1)', [id]);
    return pool.query(`INSERT INTO entry VALUES (${id})`);
  };
  const runStep = async (step: Step): Promise<unknown> => {
    if (isStatement(step)) {
      return step.does === 'insert' ? insert(numbers.of(step)) : pool.query('SELECT 1/0');
    }
    if (step.does === 'all') return Promise.allSettled(step.steps.map((each) => runStep(each)));
    const propagation = step.does === 'nested' ? 'NESTED' : 'REQUIRED';
    return transactions.run({ propagation }, () => runAll(step.steps, step.throws));
  };
  const runAll = async (steps: readonly Step[], fails: boolean): Promise<void> => {
    for (const step of steps) await runStep(step).catch(step.swallows ? () => {} : undefined);
    if (fails) throw new Error('as the program wants it');
  };
  return transactions
    .run(() => runAll(program.steps, program.throws))
    .then(
      () => true,
      () => false,
    );
}

class Thrown extends Error {}

/** What a scope comes to, as PostgreSQL and Spring would have it. */
class ModelScope {
  isFailed = false;
  isDoomed = false;
  hasSent = false;

  constructor(readonly rows: Set<number>) {}
}

/** What must be in the table afterwards; undefined when nothing was committed. */
export function expectation(program: Program): number[] | undefined {
  const numbers = new Numbers(program.steps);
  const runStep = (step: Step, scope: ModelScope): void => {
    if (isStatement(step)) {
      scope.hasSent = true;
      scope.isFailed ||= step.does === 'fail';
      if (scope.isFailed) throw new Thrown();
      scope.rows.add(numbers.of(step));
    } else if (step.does === 'all') {
      for (const each of step.steps) attempt(() => runStep(each, scope));
    } else if (step.does === 'joined') {
      const hasThrown = attempt(() => runAll(step.steps, step.throws, scope));
      scope.isDoomed ||= hasThrown;
      if (hasThrown) throw new Thrown();
    } else {
      const inner = new ModelScope(new Set(scope.rows));
      inner.isFailed = scope.isFailed;
      const hasThrown = attempt(() => runAll(step.steps, step.throws, inner));
      scope.hasSent ||= inner.hasSent;
      if (hasThrown || inner.isDoomed || (inner.hasSent && inner.isFailed)) throw new Thrown();
      for (const id of inner.rows) scope.rows.add(id);
    }
  };
  const runAll = (steps: readonly Step[], fails: boolean, scope: ModelScope): void => {
    for (const step of steps) {
      const hasThrown = attempt(() => runStep(step, scope));
      if (hasThrown && !step.swallows) throw new Thrown();
    }
    if (fails) throw new Thrown();
  };
  const scope = new ModelScope(new Set());
  const hasThrown = attempt(() => runAll(program.steps, program.throws, scope));
  if (hasThrown || scope.isDoomed || scope.isFailed) return undefined;
  return [...scope.rows].toSorted((one, other) => one - other);
}

function attempt(work: () => void): boolean {
  try {
    work();
    return false;
  } catch (error) {
    if (error instanceof Thrown) return true;
    throw error;
  }
}
