import { Hooks } from '../transaction/hooks.js';
import type { Transaction } from '../transaction/transaction.js';

/** A handle without a transaction behind it: its hooks run, and nothing is ever rolled back. */
export class PassThroughTransaction implements Pick<
  Transaction,
  | 'label'
  | 'isRollbackOnly'
  | 'setRollbackOnly'
  | 'beforeCommit'
  | 'afterCommit'
  | 'afterRollback'
  | 'afterCompletion'
  | 'detach'
> {
  readonly hooks = new Hooks();
  isRollbackOnly = false;

  constructor(readonly label: string) {}

  query(): never {
    throw new Error(
      `${this.label}: there is no database behind a pass-through; query the pool that the test gives`,
    );
  }

  setRollbackOnly(): void {
    this.isRollbackOnly = true;
  }

  beforeCommit(hook: () => unknown): void {
    this.hooks.beforeCommit.push(hook);
  }

  afterCommit(hook: () => unknown): void {
    this.hooks.afterCommit.push(hook);
  }

  afterRollback(hook: (cause: unknown) => unknown): void {
    this.hooks.afterRollback.push(hook);
  }

  afterCompletion(hook: Hooks['afterCompletion'][number]): void {
    this.hooks.afterCompletion.push(hook);
  }

  detach<T>(work: () => T): T {
    return work();
  }
}
