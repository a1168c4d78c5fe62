import pg, { type QueryResult } from 'pg';
import { LeaseReleasedError } from '../../errors/lease-released.error.js';
import { TransactionControlError } from '../../errors/transaction-control.error.js';
import { UnexpectedRollbackError } from '../../errors/unexpected-rollback.error.js';
import { type LeaseOwner, LeasedClient, type Loan } from '../../postgres/pool/leased-client.js';
import type { Done } from '../../postgres/session/statement.js';
import type { StatementConfig } from '../../postgres/session/statement-limits.js';
import type { PgSubmittable } from '../../postgres/session/submittable.js';
import { isTransactionControl } from '../../postgres/session/transaction-control.js';
import type { OpenTransaction, StandIn } from './stand-in.js';

const BEGIN = /^\s*(?:begin|start\s+transaction)(?:\s+[a-z\s,]*)?;?\s*$/i;
const COMMIT = /^\s*(?:commit|end)(?:\s+(?:work|transaction))?\s*;?\s*$/i;
const ISOLATION = /^\s*set\s+transaction\s+isolation\s+level\s+[a-z\s]+;?\s*$/i;
const ROLLBACK = /^\s*(?:rollback|abort)(?:\s+(?:work|transaction))?\s*;?\s*$/i;

/** Lends a client whose transactions, begun and ended by hand, are savepoints of the test. */
export async function lendStandIn(standIn: StandIn): Promise<LeasedClient> {
  const loan = { resource: await standIn.test.session(), isOut: true, revoked: undefined };
  const client = new LeasedClient(loan, new StandInOwner(standIn));
  // Whoever forgets to give it back takes no listeners along to the next borrower.
  standIn.test.onClose(() => client.removeAllListeners());
  return client;
}

/** Takes what is asked of one such client: what stands between BEGIN and COMMIT as one. */
class StandInOwner implements LeaseOwner {
  readonly pool: string;
  #transaction: OpenTransaction | undefined;

  constructor(private readonly standIn: StandIn) {
    this.pool = standIn.pool.name;
  }

  query(
    _loan: Loan,
    statement: string | StatementConfig,
    values: unknown[] | undefined,
    done: Done,
  ): void {
    const text = typeof statement === 'string' ? statement : statement.text;
    if (isTransactionControl(text)) {
      this.#control(text).then((command) => done(undefined, commandResult(command)), done);
    } else if (this.#transaction && ISOLATION.test(text)) {
      // Query builders send it behind BEGIN. A savepoint cannot have one.
      process.nextTick(() => done(undefined, commandResult('SET')));
    } else {
      (this.#transaction?.scope ?? this.standIn).query(statement, values, done);
    }
  }

  submit(_loan: Loan, statement: PgSubmittable, done: Done | undefined): void {
    (this.#transaction?.scope ?? this.standIn).submit(statement, done);
  }

  giveBack(loan: Loan): void {
    if (!loan.isOut) throw new LeaseReleasedError(this.pool, 'release');
    (loan as { isOut: boolean }).isOut = false;
    // As the pool does with what a borrower has left open.
    void this.#take()?.owner.fail(undefined);
  }

  /** @returns the command tag of the answer */
  async #control(text: string): Promise<string> {
    if (BEGIN.test(text)) {
      // In a transaction it does nothing but warn.
      this.#transaction ??= this.standIn.open('a transaction by hand', {
        readOnly: /read\s+only/i.test(text) || undefined,
      });
      return 'BEGIN';
    }
    const isCommit = COMMIT.test(text);
    if (!isCommit && !ROLLBACK.test(text)) {
      throw new TransactionControlError(this.pool, 'a client of a test');
    }
    const transaction = this.#take();
    if (isCommit && transaction) return await commit(transaction);
    await transaction?.owner.fail(undefined);
    return isCommit ? 'COMMIT' : 'ROLLBACK';
  }

  #take(): OpenTransaction | undefined {
    const transaction = this.#transaction;
    this.#transaction = undefined;
    return transaction;
  }
}

/** PostgreSQL answers COMMIT so, where a statement had failed. */
async function commit({ scope, owner }: OpenTransaction): Promise<string> {
  try {
    await scope.idle();
    await owner.succeed();
    return 'COMMIT';
  } catch (error) {
    if (error instanceof UnexpectedRollbackError) return 'ROLLBACK';
    throw error;
  }
}

function commandResult(command: string): QueryResult {
  const { Result } = pg as unknown as { Result: new () => QueryResult };
  return Object.assign(new Result(), { command });
}
