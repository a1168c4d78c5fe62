import { type LeaseOwner, LeasedClient, type Loan } from '../postgres/pool/leased-client.js';
import { LeaseReleasedError } from '../errors/lease-released.error.js';
import type { PostgresSession } from '../postgres/session/postgres-session.js';
import type { Scope } from './scope.js';

/**
 * Lends the connection of a transaction to somebody who wants one for himself: every statement goes
 * through the scope, and giving it back leaves it where it is.
 */
export async function lendPinned(scope: Scope): Promise<LeasedClient> {
  const session = await scope.transaction.pin();
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

function ownerOf(scope: Scope): LeaseOwner {
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
