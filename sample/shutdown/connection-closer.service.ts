import type { Server, ServerResponse } from 'node:http';
import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

/**
 * Lets the server close as soon as its last answer is out.
 *
 * When a server stops, Node closes the connections that are idle at that moment. One that is still
 * answering is kept alive afterwards, and holds up the shutdown until the keep-alive timeout.
 * `Connection: close` on the answers still to come tells both sides to part.
 */
@Injectable()
export class ConnectionCloser implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly unanswered = new Set<ServerResponse>();
  private closing = false;

  constructor(private readonly adapterHost: HttpAdapterHost) {}

  onApplicationBootstrap(): void {
    const server = this.adapterHost.httpAdapter.getHttpServer() as Server;
    server.prependListener('request', (_request, response) => this.watch(response));
  }

  beforeApplicationShutdown(): void {
    this.closing = true;
    for (const response of this.unanswered) this.announceClose(response);
  }

  private watch(response: ServerResponse): void {
    if (this.closing) this.announceClose(response);
    this.unanswered.add(response);
    response.once('close', () => this.unanswered.delete(response));
  }

  private announceClose(response: ServerResponse): void {
    if (!response.headersSent) response.setHeader('Connection', 'close');
  }
}
