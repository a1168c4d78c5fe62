/** How a transaction ended. */
export type Outcome = 'committed' | 'rolled back' | 'unknown';

type Work = () => unknown;

/** What is to be done around the end of a transaction. */
export class Hooks {
  readonly beforeCommit: Work[] = [];
  readonly afterCommit: Work[] = [];
  readonly afterRollback: ((cause: unknown) => unknown)[] = [];
  readonly afterCompletion: ((outcome: Outcome) => unknown)[] = [];

  /** Whether somebody waits for the outcome. */
  get awaitOutcome(): boolean {
    return this.afterCommit.length + this.afterCompletion.length > 0;
  }

  /** Whether nothing is to be done once it has ended, however that was. */
  get noneAfter(): boolean {
    return !this.awaitOutcome && this.afterRollback.length === 0;
  }

  /** Takes over those of a nested transaction, whose end is that of the outer one now. */
  adopt(nested: Hooks): void {
    this.beforeCommit.push(...nested.beforeCommit);
    this.afterCommit.push(...nested.afterCommit);
    this.afterRollback.push(...nested.afterRollback);
    this.afterCompletion.push(...nested.afterCompletion);
  }

  /** In order, those included that a hook adds; the first that fails ends it. */
  async runBeforeCommit(): Promise<void> {
    for (const hook of this.beforeCommit) await hook();
  }

  /**
   * In order, each by itself: the outcome stands, and what one of them throws changes neither it nor
   * the others.
   */
  async runAfter(
    outcome: Outcome,
    cause: unknown,
    failed: (error: unknown, hook: string) => void,
  ): Promise<void> {
    const attempt = async (name: string, hook: Work) => {
      try {
        await hook();
      } catch (error) {
        failed(error, name);
      }
    };
    if (outcome === 'committed') {
      for (const hook of this.afterCommit) await attempt('afterCommit', hook);
    }
    if (outcome === 'rolled back') {
      for (const hook of this.afterRollback) await attempt('afterRollback', () => hook(cause));
    }
    for (const hook of this.afterCompletion) await attempt('afterCompletion', () => hook(outcome));
  }
}
