import type { Client } from 'pg';

/** What the answers to one question tell of whatever stands before the server. */
export interface PoolerFindings {
  /** Process id of the backend that has answered; undefined of what knows no such thing. */
  readonly backend: number | undefined;
  /** Whether a named statement reached the server under another name: then it is kept apart. */
  readonly keepsNames: boolean;
}

const NAME = 'nestjs_pools_probe';

const QUESTION =
  'SELECT pg_catalog.pg_backend_pid()::text,' +
  ` EXISTS (SELECT FROM pg_catalog.pg_prepared_statements WHERE name = '${NAME}')::text`;

const NOTHING: PoolerFindings = { backend: undefined, keepsNames: false };

/** The members of pg's connection that are used here; its types leave them out. */
interface Wire {
  parse(statement: { text: string; name: string }): void;
  bind(portal: { statement: string }): void;
  execute(portal: object): void;
  close(what: { type: 'S'; name: string }): void;
  sync(): void;
}

/**
 * Asks, as a named statement and in one round trip, which backend answers, and whether it knows the
 * statement by that name. A pooler that keeps named statements for its clients gives them names of
 * its own, since all of them share a backend. The statement is closed in the same breath.
 *
 * @throws the error of the connection
 */
export function probePooler(client: Client): Promise<PoolerFindings> {
  return new Promise((resolve, reject) => {
    let findings = NOTHING;
    const question = {
      submit(connection: Wire): null {
        connection.parse({ text: QUESTION, name: NAME });
        connection.bind({ statement: NAME });
        connection.execute({});
        connection.close({ type: 'S', name: NAME });
        connection.sync();
        return null;
      },
      handleDataRow({ fields: [backend, isKnown] }: { fields: (string | null)[] }): void {
        findings = { backend: Number(backend), keepsNames: isKnown === 'false' };
      },
      handleCommandComplete(): void {},
      handleError(error: Error & { readonly code?: string }): void {
        // What does not know the question is no PostgreSQL; what knows the name already keeps it.
        if (/^(?:42|0A|26)/.test(error.code ?? '')) resolve(NOTHING);
        else reject(error);
      },
      handleReadyForQuery: () => resolve(findings),
    };
    void client.query(question as never);
  });
}
