import { isIP } from 'node:net';
import pg from 'pg';
import type { Client, ClientConfig, Connection } from 'pg';
import { outsideUserContext } from '../../engine/outside-user-context.js';

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
  /** Makes the socket where the application wants one of its own: a tunnel. */
  readonly stream: ClientConfig['stream'];
}

type CancelConnection = Connection & {
  connect(portOrPath: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processID: number, secretKey: unknown): void;
};

/** Undefined for a server that told no key: it cannot be asked. */
export function cancelTargetOf(
  client: Client,
  stream: ClientConfig['stream'],
): CancelTarget | undefined {
  const { processID, secretKey, host, port, ssl, sslNegotiation, connection } =
    client as unknown as CancelTarget & { connection: { stream: { remoteAddress?: string } } };
  if (typeof processID !== 'number' || !secretKey) return undefined;
  const { remoteAddress } = connection.stream;
  return { processID, secretKey, host, port, remoteAddress, ssl, sslNegotiation, stream };
}

/** What became of a cancel request. */
export type CancelOutcome =
  /** The server has closed its socket: the signal is sent, and can hit no later statement. */
  | 'through'
  /** It never left: the statement goes on. */
  | 'not sent'
  /** It left, and nobody knows when it will arrive: it may hit whatever runs then. */
  | 'under way';

/**
 * Asks the server to cancel what a session runs, over a socket of its own to the very server that
 * the session is on: the same remote address, the same TLS.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export function requestCancel(target: CancelTarget, limitMs: number): Promise<CancelOutcome> {
  return outsideUserContext(
    () =>
      new Promise<CancelOutcome>((resolve) => {
        const connection = connectionLike(target);
        let outcome: CancelOutcome = 'not sent';
        const giveUp = () => {
          if (outcome === 'through') outcome = 'under way';
          connection.stream.destroy();
        };
        const timer = setTimeout(giveUp, limitMs);
        const ask = () => {
          connection.cancel(target.processID, target.secretKey);
          outcome = 'through';
        };
        connection.on('connect', () => {
          if (!target.ssl) ask();
          else if (target.sslNegotiation !== 'direct') connection.requestSsl();
        });
        connection.on('sslconnect', ask);
        connection.on('error', giveUp);
        connection.on('end', () => {
          clearTimeout(timer);
          resolve(outcome);
        });
        reach(connection, target);
      }),
  );
}

function connectionLike({ ssl, sslNegotiation, host, stream }: CancelTarget): CancelConnection {
  // The certificate names the host that the session was opened to, not its address.
  const name = { host, ...(isIP(host) === 0 && { servername: host }) };
  const tls = ssl ? { ...(typeof ssl === 'object' && withKey(ssl)), ...name } : false;
  return new pg.Connection({ ssl: tls, sslNegotiation, stream } as object) as CancelConnection;
}

/** node-postgres hides the key from enumeration. */
function withKey(ssl: object): object {
  const { key } = ssl as { key?: unknown };
  return key === undefined ? ssl : { ...ssl, key };
}

function reach(connection: CancelConnection, target: CancelTarget): void {
  const { host, port, remoteAddress, stream } = target;
  if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
  // A tunnel leads where the host name says, from its own end.
  else connection.connect(port, stream ? host : (remoteAddress ?? host));
}
