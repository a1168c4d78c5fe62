import { isIP } from 'node:net';
import pg from 'pg';
import type { Client, Connection } from 'pg';
import { outsideUserContext } from '../engine/outside-user-context.js';

/** What a cancel request needs to know of a session, noted while its socket is open. */
export interface CancelTarget {
  readonly processID: number;
  readonly secretKey: unknown;
  /** Host name or socket directory that the session was opened to. */
  readonly host: string;
  readonly port: number;
  /** The address that it led to; undefined for a Unix socket. */
  readonly remoteAddress: string | undefined;
  readonly ssl: boolean | object;
  readonly sslNegotiation: string | undefined;
}

type CancelConnection = Connection & {
  connect(portOrPath: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processID: number, secretKey: unknown): void;
};

/** Undefined for a server that told no key: it cannot be asked. */
export function cancelTargetOf(client: Client): CancelTarget | undefined {
  const { processID, secretKey, host, port, ssl, sslNegotiation, connection } =
    client as unknown as CancelTarget & { connection: { stream: { remoteAddress?: string } } };
  if (typeof processID !== 'number' || !secretKey) return undefined;
  const { remoteAddress } = connection.stream;
  return { processID, secretKey, host, port, remoteAddress, ssl, sslNegotiation };
}

/**
 * Asks the server to cancel what a session runs, over a socket of its own to the very server that
 * the session is on: the same remote address, the same TLS.
 *
 * Resolves with true when the server has closed that socket: the signal is sent by then, and can
 * no longer hit a later statement. Resolves with false when the server could not be reached within
 * `limitMs`; the statement then goes on.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export function requestCancel(target: CancelTarget, limitMs: number): Promise<boolean> {
  return outsideUserContext(
    () =>
      new Promise<boolean>((resolve) => {
        const connection = connectionLike(target);
        const giveUp = () => {
          isThrough = false;
          connection.stream.destroy();
        };
        const timer = setTimeout(giveUp, limitMs);
        let isThrough = false;
        const ask = () => {
          connection.cancel(target.processID, target.secretKey);
          isThrough = true;
        };
        connection.on('connect', () => {
          if (!target.ssl) ask();
          else if (target.sslNegotiation !== 'direct') connection.requestSsl();
        });
        connection.on('sslconnect', ask);
        connection.on('error', giveUp);
        connection.on('end', () => {
          clearTimeout(timer);
          resolve(isThrough);
        });
        reach(connection, target);
      }),
  );
}

function connectionLike({ ssl, sslNegotiation, host }: CancelTarget): CancelConnection {
  // The certificate names the host that the session was opened to, not its address.
  const name = { host, ...(isIP(host) === 0 && { servername: host }) };
  const tls = ssl ? { ...(typeof ssl === 'object' && withKey(ssl)), ...name } : false;
  return new pg.Connection({ ssl: tls, sslNegotiation } as object) as CancelConnection;
}

/** node-postgres hides the key from enumeration. */
function withKey(ssl: object): object {
  const { key } = ssl as { key?: unknown };
  return key === undefined ? ssl : { ...ssl, key };
}

function reach(connection: CancelConnection, target: CancelTarget): void {
  const { host, port, remoteAddress } = target;
  if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
  else connection.connect(port, remoteAddress ?? host);
}
