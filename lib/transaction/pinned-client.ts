import { type LeaseOwner, LeasedClient, type Loan } from '../postgres/pool/leased-client.js';
import { LeaseReleasedError } from '../errors/lease-released.error.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import type { Done } from '../postgres/session/statement.js';
import type { StatementConfig } from '../postgres/session/statement-limits.js';
import type { PgSubmittable } from '../postgres/session/submittable.js';

/** Where the connection is used. */
interface PinningScope {
  readonly parts: { readonly poolName: string };
  readonly transaction: { readonly statements: { pin(): Promise<PostgresSession> } };
  query(statement: string | StatementConfig, values: unknown[] | undefined, done: Done): void;
  submit(statement: PgSubmittable, done: Done | undefined): void;
  onClose(done: () => void): void;
}

/**
 * Lends the connection of a transaction to somebody who wants one for himself: every statement goes
 * through the scope, and giving it back leaves it where it is.
 */
export async function lendPinned(scope: PinningScope): Promise<LeasedClient> {
  const session = await scope.transaction.statements.pin();
  const client = new LeasedClient(new PinnedLoan(session), ownerOf(scope));
  // Whoever forgets to give it back takes no listeners along to the next borrower.
  scope.onClose(() => client.removeAllListeners());
  return client;
}

class PinnedLoan implements Loan {
  readonly revoked = undefined;
  isOut = true;

  constructor(readonly resource: PostgresSession) {}
}

function ownerOf(scope: PinningScope): LeaseOwner {
  const { poolName } = scope.parts;
  return {
    pool: poolName,
    query: (_loan, statement, values, done) => scope.query(statement, values, done),
    submit: (_loan, statement, done) => scope.submit(statement, done),
    giveBack: (loan) => {
      if (!loan.isOut) throw new LeaseReleasedError(poolName, 'release');
      (loan as PinnedLoan).isOut = false;
    },
  };
}
