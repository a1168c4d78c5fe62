import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../free-port.js';
import type { CancelRequest } from './cancel-request.js';
import type { CutStyle, Direction, Tail } from './lane.js';
import { ProxiedConnection, type Latency, type Target } from './proxied-connection.js';
import { reset } from './reset.js';
import { UnansweredPort } from './unanswered-port.js';

const HOST = '127.0.0.1';
/** Type, length and state. */
const READY_FOR_QUERY_BYTES = 6;
const RELISTEN_TIMEOUT_MS = 15_000;

/** What a new connection meets while traffic is stopped: it is accepted and hears nothing, or its request is not even answered. */
export interface InterruptionOptions {
  readonly connects?: 'silent' | 'unanswered';
}

export interface RefuseOptions {
  /** `closed`: nobody listens (ECONNREFUSED, not countable). `reset`: accepted and reset at once, and counted. */
  readonly how?: 'closed' | 'reset';
}

export interface CutOptions {
  /** `toClient` by default. */
  readonly direction?: Direction;
  /** `rst` by default. */
  readonly how?: CutStyle;
  /** All new connections (the default), only the next one, or also those that stand, counted from now. */
  readonly connections?: 'new' | 'next' | 'all';
}

interface CutRule {
  readonly bytes: number;
  readonly direction: Direction;
  readonly how: CutStyle;
  readonly once: boolean;
}

/** What went through since the start; take differences. */
export interface ProxyCounts {
  /** Connections that arrived, whatever became of them. */
  attempts: number;
  /** Those of them that were not refused. */
  accepted: number;
  bytesToServer: number;
  bytesToClient: number;
  /** How often the server answered something that a client had sent; a pipelined batch counts once. */
  roundTrips: number;
}

type Traffic = 'flowing' | 'held' | 'lost';

/**
 * Stands between a client and a server, and does to their connections what networks do.
 *
 * Every verb works on the connections that stand and on those to come, unless it says otherwise.
 */
export class TcpProxy implements AsyncDisposable {
  readonly host = HOST;
  readonly counts: ProxyCounts = {
    attempts: 0,
    accepted: 0,
    bytesToServer: 0,
    bytesToClient: 0,
    roundTrips: 0,
  };
  /** Requests to cancel a statement, in the order in which they came. TLS hides them. */
  readonly cancelRequests: CancelRequest[] = [];
  readonly #connections = new Set<ProxiedConnection>();
  readonly #listeners = new Set<(connection: ProxiedConnection) => void>();
  #target: Target;
  #server: Server | undefined;
  #unanswered: UnansweredPort | undefined;
  #traffic: Traffic = 'flowing';
  #resetsNewcomers = false;
  #latency: Latency = { toServer: 0, toClient: 0 };
  #tail: Tail = { bytes: 0, ms: 0 };
  #connectLatencyMs = 0;
  #cut: CutRule | undefined;

  private constructor(
    readonly port: number,
    target: Target,
  ) {
    this.#target = target;
  }

  static async to(target: Target): Promise<TcpProxy> {
    const proxy = new TcpProxy(await freePort(), target);
    await proxy.#listen();
    return proxy;
  }

  /** The connections that stand now. */
  get connections(): readonly ProxiedConnection[] {
    return [...this.#connections];
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  /** The same connection string, leading through the proxy. */
  through(connectionString: string): string {
    const url = new URL(connectionString);
    url.hostname = this.host;
    url.port = String(this.port);
    return url.href;
  }

  /** Calls the listener with each new connection before its first byte; returns how to stop that. */
  onConnection(listener: (connection: ProxiedConnection) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Nothing moves, not even an end or a reset; nothing is lost either. */
  async pause(options: InterruptionOptions = {}): Promise<void> {
    this.#traffic = 'held';
    for (const connection of this.#connections) connection.pause();
    await this.#interruptNewcomers(options);
  }

  /** All that was held goes on its way. */
  async resume(): Promise<void> {
    this.#traffic = 'flowing';
    for (const connection of this.#connections) connection.resume();
    await this.#listen();
  }

  /** What is sent is lost, ends and resets included, and nobody is told. */
  async blackhole(options: InterruptionOptions = {}): Promise<void> {
    this.#traffic = 'lost';
    for (const connection of this.#connections) connection.silence();
    await this.#interruptNewcomers(options);
  }

  /** New connections work again; those that stood in the black hole stay silent for ever. */
  async heal(): Promise<void> {
    this.#traffic = 'flowing';
    await this.#listen();
  }

  /** RST for every connection that stands. New ones are not affected. */
  reset(): void {
    for (const connection of this.#connections) connection.reset();
  }

  /** Forgets every connection that stands without telling anybody, as a firewall does. New ones are not affected. */
  forget(): void {
    for (const connection of this.#connections) connection.silence();
  }

  /** New connections are refused. Those that stand are not affected. */
  async refuse({ how = 'closed' }: RefuseOptions = {}): Promise<void> {
    this.#resetsNewcomers = how === 'reset';
    if (how === 'closed') this.#stopListening();
    else await this.#listen();
  }

  /** New connections are taken again, on the same port. */
  async accept(): Promise<void> {
    this.#resetsNewcomers = false;
    await this.#listen();
  }

  /** Delays all that arrives from now on, ends included: one figure for both directions, or one each. */
  latency(ms: number | Partial<Latency>): void {
    this.#latency =
      typeof ms === 'number' ? { toServer: ms, toClient: ms } : { toServer: 0, toClient: 0, ...ms };
    for (const connection of this.#connections) connection.latency = this.#latency;
  }

  /** PostgreSQL's word that it waits for the next statement arrives later than what it answered. */
  delayReadyForQuery(ms: number): void {
    this.#tail = { bytes: READY_FOR_QUERY_BYTES, ms };
    for (const connection of this.#connections) connection.tail = this.#tail;
  }

  /** Delays the connect to the server of new connections. */
  connectLatency(ms: number): void {
    this.#connectLatencyMs = ms;
  }

  /** Cuts a connection after exactly so many bytes in one direction; 0 cuts it at once. */
  cutAfter(bytes: number, options: CutOptions = {}): void {
    const { direction = 'toClient', how = 'rst', connections = 'new' } = options;
    this.#cut = { bytes, direction, how, once: connections === 'next' };
    if (connections !== 'all') return;
    for (const connection of this.#connections) connection.cutAfter(bytes, direction, how);
  }

  /** New connections are not cut any more. */
  cutNoMore(): void {
    this.#cut = undefined;
  }

  /** New connections lead elsewhere, as an address does after a failover. Those that stand remain. */
  retarget(target: Target): void {
    this.#target = target;
  }

  /** Ends every connection and listens no more; nothing of the proxy is left. */
  async close(): Promise<void> {
    this.#stopListening();
    await this.#answerAgain();
    const standing = this.connections;
    for (const connection of standing) connection.destroy();
    await Promise.all(standing.map((connection) => connection.closed));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #welcome(client: Socket): void {
    this.counts.attempts++;
    // Whoever listens for errors comes later than the first that may happen.
    client.on('error', () => {});
    if (this.#resetsNewcomers) {
      reset(client);
      return;
    }
    const connection = this.#connectionFor(client);
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
    connection.latency = this.#latency;
    connection.tail = this.#tail;
    if (this.#traffic === 'held') connection.pause();
    if (this.#traffic === 'lost') connection.silence();
    for (const listener of this.#listeners) listener(connection);
    this.#applyCut(connection);
    connection.dial(this.#connectLatencyMs);
  }

  #connectionFor(client: Socket): ProxiedConnection {
    return new ProxiedConnection(++this.counts.accepted, client, this.#target, {
      forwarded: (direction, bytes) => {
        if (direction === 'toServer') this.counts.bytesToServer += bytes;
        else this.counts.bytesToClient += bytes;
      },
      roundTrip: () => this.counts.roundTrips++,
      cancelRequest: (request) => this.cancelRequests.push(request),
    });
  }

  #applyCut(connection: ProxiedConnection): void {
    if (this.#cut === undefined) return;
    const { bytes, direction, how, once: onlyOne } = this.#cut;
    if (onlyOne) this.#cut = undefined;
    connection.cutAfter(bytes, direction, how);
  }

  async #interruptNewcomers({ connects = 'silent' }: InterruptionOptions): Promise<void> {
    if (connects === 'silent' || this.#unanswered !== undefined) return;
    this.#stopListening();
    this.#unanswered = await UnansweredPort.open(this);
  }

  async #answerAgain(): Promise<void> {
    const unanswered = this.#unanswered;
    this.#unanswered = undefined;
    await unanswered?.close();
  }

  /** The kernel may need a moment to give the port back. */
  async #listen(): Promise<void> {
    await this.#answerAgain();
    const deadline = performance.now() + RELISTEN_TIMEOUT_MS;
    while (this.#server === undefined) {
      const server = createServer({ allowHalfOpen: true }, (client) => this.#welcome(client));
      server.listen({ port: this.port, host: this.host, exclusive: true });
      try {
        await once(server, 'listening');
        this.#server = server;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await delay(10);
      }
    }
  }

  /** Not waited for: a server counts as closed only when its last connection is. */
  #stopListening(): void {
    this.#server?.close();
    this.#server = undefined;
  }
}
