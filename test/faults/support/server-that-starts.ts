import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { errorResponse } from './error-response.js';

const HOST = '127.0.0.1';

/** Answers every session with 57P03, as a PostgreSQL does while it starts up or recovers. */
export class ServerThatStarts implements AsyncDisposable {
  readonly host = HOST;
  readonly #sockets = new Set<Socket>();

  private constructor(
    readonly port: number,
    private readonly server: Server,
  ) {
    server.on('connection', (socket) => this.#answer(socket));
  }

  static async listen(): Promise<ServerThatStarts> {
    const server = createServer().listen({ port: 0, host: HOST });
    await once(server, 'listening');
    return new ServerThatStarts((server.address() as { port: number }).port, server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  #answer(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.once('data', () => socket.end(REFUSAL));
  }
}

const REFUSAL = errorResponse({
  S: 'FATAL',
  V: 'FATAL',
  C: '57P03',
  M: 'the database system is starting up',
  R: 'ProcessStartupPacket',
});
