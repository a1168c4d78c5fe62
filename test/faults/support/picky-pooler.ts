import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Target } from '../../support/tcp-proxy/proxied-connection.js';
import { errorResponse } from './error-response.js';

const HOST = '127.0.0.1';

/** Stands before a server and refuses a startup parameter that it does not know, as PgBouncer does. */
export class PickyPooler implements AsyncDisposable {
  readonly host = HOST;
  refusals = 0;
  readonly #sockets = new Set<Socket>();

  private constructor(
    readonly port: number,
    private readonly server: Server,
    private readonly target: Target,
    private readonly parameter: string,
  ) {
    server.on('connection', (client) => this.#welcome(client));
  }

  static async before(target: Target, parameter: string): Promise<PickyPooler> {
    const server = createServer().listen({ port: 0, host: HOST });
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    return new PickyPooler(port, server, target, parameter);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  #welcome(client: Socket): void {
    this.#keep(client);
    client.once('data', (startup: Buffer) => {
      if (startup.includes(`${this.parameter}\0`)) this.#refuse(client);
      else this.#lead(client, startup);
    });
  }

  #refuse(client: Socket): void {
    this.refusals += 1;
    client.end(
      errorResponse({
        S: 'FATAL',
        C: '08P01',
        M: `unsupported startup parameter: ${this.parameter}`,
      }),
    );
  }

  #lead(client: Socket, startup: Buffer): void {
    const server = connect(this.target);
    this.#keep(server);
    server.write(startup);
    client.pipe(server).pipe(client);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
