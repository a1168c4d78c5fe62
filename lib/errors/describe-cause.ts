/**
 * Names a foreign error for a log line or a message of ours: its stable code (an SQLSTATE or a
 * system error code), the address where there is one, else its class.
 *
 * Never its message: a server's message quotes data, a password provider's may quote a secret.
 */
export function describeCause(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'an unknown error';
  const { code, address, port, name } = error as Record<string, unknown>;
  if (typeof code !== 'string') return typeof name === 'string' ? name : 'an unknown error';
  if (typeof address !== 'string') return code;
  return typeof port === 'number' ? `${code} ${address}:${port}` : `${code} ${address}`;
}
