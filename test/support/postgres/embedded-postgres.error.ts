/** What can go wrong with a server of our own, by a name that callers can match. */
export type EmbeddedPostgresErrorCode =
  | 'BINARIES_MISSING'
  | 'BINARIES_BROKEN'
  | 'NO_ACCOUNT'
  | 'DIRECTORY_FOREIGN'
  | 'DIRECTORY_IN_USE'
  | 'DIRECTORY_INCOMPATIBLE'
  | 'DIRECTORY_UNREACHABLE'
  | 'INITDB_FAILED'
  | 'PORT_IN_USE'
  | 'START_FAILED'
  | 'STOP_TIMED_OUT'
  | 'SETTINGS_REFUSED'
  | 'WRONG_STATE'
  | 'REPLICATION_TIMED_OUT';

/** The embedded PostgreSQL cannot do what was asked; the message is a sentence fit to be printed. */
export class EmbeddedPostgresError extends Error {
  constructor(
    readonly code: EmbeddedPostgresErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'EmbeddedPostgresError';
  }
}
