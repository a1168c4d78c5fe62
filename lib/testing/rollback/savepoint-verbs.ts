import type { Client } from 'pg';
import type { PostgresSession } from '../../postgres/session/postgres-session.js';
import {
  type Answered,
  type Prelude,
  sendWithPreludes,
} from '../../postgres/session/prelude-query.js';
import type { Verbs } from '../../transaction/root-scope.js';
import { SavepointSettings } from '../../transaction/savepoint-settings.js';
import type { TransactionOptions } from '../../transaction/transaction-options.js';

/** A savepoint that is said to be a transaction. */
export class SavepointVerbs implements Verbs {
  readonly begin: readonly Prelude[];
  readonly committed = 'RELEASE';
  readonly rollback: string;
  readonly #settings: SavepointSettings;

  /** @param name of the savepoint; no other one of the test's has it */
  constructor(
    private readonly name: string,
    { readOnly, settings }: TransactionOptions,
  ) {
    this.#settings = new SavepointSettings(settings);
    // It ends with the savepoint, as in a transaction of its own. An isolation level cannot be set
    // any more, nor can writing be allowed where it is not.
    const access = readOnly ? [{ text: 'SET TRANSACTION READ ONLY' }] : [];
    this.begin = [{ text: `SAVEPOINT ${name}` }, ...access, ...this.#settings.set];
    this.rollback = `ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}`;
  }

  /** What it has to answer for at a COMMIT fails here, and then all is undone as there. */
  commit(session: PostgresSession, answered: Answered): void {
    const release = `RELEASE SAVEPOINT ${this.name}`;
    const before = [...checkOfConstraints(`${this.name}_check`), ...this.#settings.restore];
    const { client } = session;
    sendWithPreludes(client, before, release, undefined, (error, result) => {
      if (error) void this.#undo(session, error, answered);
      else answered(null, result);
    });
  }

  async #undo(session: PostgresSession, refusal: Error, answered: Answered): Promise<void> {
    await session.whenQuiet();
    const told = await undone(session.client, this.rollback);
    answered(told ?? refusal, undefined as never);
  }
}

/** The error of an undoing that did not succeed: then the connection is of no use any more. */
async function undone(client: Client, rollback: string): Promise<Error | undefined> {
  try {
    await client.query(rollback);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/**
 * Checks what is deferred to the COMMIT, and leaves it deferred: undone, the check has not taken
 * place for those that come after it.
 */
function checkOfConstraints(savepoint: string): Prelude[] {
  return [
    { text: `SAVEPOINT ${savepoint}` },
    { text: 'SET CONSTRAINTS ALL IMMEDIATE' },
    { text: `ROLLBACK TO SAVEPOINT ${savepoint}` },
  ];
}
