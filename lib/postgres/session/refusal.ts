/**
 * Whether an error is the server's answer to a statement, after which the session goes on: not its
 * end, which FATAL tells, and not the loss of the connection.
 */
export function isRefusal(error: unknown): boolean {
  return (error as { severity?: unknown } | undefined)?.severity === 'ERROR';
}
