import type { Lease } from '../../engine/lease.js';
import { LeaseRevokedError } from '../../errors/lease-revoked.error.js';
import type { PostgresSession } from '../session/postgres-session.js';
import { type Done, Statement } from '../session/statement.js';
import type { StatementConfig } from '../session/statement-limits.js';
import { PendingSubmittable, type PgSubmittable } from '../session/submittable.js';
import type { LeaseOwner, Loan } from './leased-client.js';
import type { SessionLender } from './lender.js';
import type { PoolParts } from './pool-parts.js';

/** The pool, as those see it who hold one of its connections. */
export class SessionOwner implements LeaseOwner {
  readonly pool: string;
  readonly #lender: SessionLender;
  readonly #limitMs: number;

  constructor({ name, lender, statementLimitMs }: PoolParts) {
    this.pool = name;
    this.#lender = lender;
    this.#limitMs = statementLimitMs;
  }

  query(
    loan: Loan,
    statement: string | StatementConfig,
    values: unknown[] | undefined,
    done: Done,
  ): void {
    const told: Done = (error, result) => {
      loan.resource.note?.held();
      if (error && loan.revoked) done(new LeaseRevokedError(this.pool, loan.revoked, error));
      else done(error, result);
    };
    new Statement(this.pool, loan.resource, statement, values, this.#limitMs, told).run();
  }

  submit({ resource }: Loan, statement: PgSubmittable, done: Done | undefined): void {
    const pending = new PendingSubmittable(statement, done);
    resource.note?.held();
    resource.inTurn(() => void pending.sendTo(resource));
  }

  giveBack(loan: Loan, error?: unknown): void {
    this.#lender.release(loan as Lease<PostgresSession>, error);
  }
}
