import { connect, type Socket } from 'node:net';
import { CancelRequestReader, type CancelRequest } from './cancel-request.js';
import { Lane, type CutStyle, type Direction, type LaneMode, type Tail } from './lane.js';
import { reset } from './reset.js';

export interface ConnectionObserver {
  forwarded(direction: Direction, bytes: number): void;
  roundTrip(): void;
  cancelRequest(request: CancelRequest): void;
}

export interface Latency {
  readonly toServer: number;
  readonly toClient: number;
}

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** One client, one connection to the target, and a lane each way between them. */
export class ProxiedConnection {
  /** Bytes that went through. */
  readonly bytes: Record<Direction, number> = { toServer: 0, toClient: 0 };
  /** How often the server answered something that the client had sent. */
  roundTrips = 0;
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #target: Target;
  readonly #observer: ConnectionObserver;
  readonly #toServer: Lane;
  readonly #cancelRequests = new CancelRequestReader();
  #toClient: Lane | undefined;
  #server: Socket | undefined;
  #latency: Latency = { toServer: 0, toClient: 0 };
  #tail: Tail = { bytes: 0, ms: 0 };
  #mode: LaneMode = 'flowing';
  #connectTimer: NodeJS.Timeout | undefined;
  #dialDue = false;
  #answerAwaited = false;
  #pendingCut: { readonly bytes: number; readonly how: CutStyle } | undefined;

  constructor(
    /** Counts from 1 in the order of acceptance. */
    readonly id: number,
    client: Socket,
    target: Target,
    observer: ConnectionObserver,
  ) {
    this.#client = client;
    this.#target = target;
    this.#observer = observer;
    client.setNoDelay(true);
    this.closed = this.#bothClosed();
    this.#toServer = this.#lane(client, 'toServer');
  }

  /** Connects to the target; a connection that is held does so when it is resumed. */
  dial(afterMs: number): void {
    this.#connectTimer = setTimeout(() => {
      this.#dialDue = true;
      this.#connectIfDue();
    }, afterMs);
    if (afterMs > 0) return;
    clearTimeout(this.#connectTimer);
    this.#dialDue = true;
    this.#connectIfDue();
  }

  /** Stops everything in its place, ends included; nothing is lost. */
  pause(): void {
    this.#setMode('held');
  }

  resume(): void {
    this.#setMode('flowing');
    this.#connectIfDue();
  }

  /** From now on nothing that is sent arrives, as when a firewall forgot the connection. For good. */
  silence(): void {
    this.#setMode('lost');
  }

  /** RST to both ends. */
  reset(): void {
    this.silence();
    reset(this.#client);
    if (this.#server !== undefined) reset(this.#server);
  }

  /** FIN to both ends. */
  end(): void {
    this.silence();
    this.#client.end();
    this.#server?.end();
  }

  destroy(): void {
    this.silence();
    clearTimeout(this.#connectTimer);
    this.#client.destroy();
    this.#server?.destroy();
  }

  /** Cuts after exactly this many more bytes in the direction. */
  cutAfter(bytes: number, direction: Direction = 'toClient', how: CutStyle = 'rst'): void {
    if (direction === 'toServer') this.#toServer.cutAfter(bytes, how);
    else if (this.#toClient !== undefined || bytes === 0) this.#cutToClient(bytes, how);
    else this.#pendingCut = { bytes, how };
  }

  set latency(latency: Latency) {
    this.#latency = latency;
    this.#toServer.latencyMs = latency.toServer;
    if (this.#toClient !== undefined) this.#toClient.latencyMs = latency.toClient;
  }

  /** What is said of the end of each answer. */
  set tail(tail: Tail) {
    this.#tail = tail;
    if (this.#toClient !== undefined) this.#toClient.tail = tail;
  }

  async #bothClosed(): Promise<void> {
    await closeOf(this.#client);
    clearTimeout(this.#connectTimer);
    if (this.#server !== undefined) await closeOf(this.#server);
  }

  #connectIfDue(): void {
    if (!this.#dialDue || this.#mode !== 'flowing' || this.#client.destroyed) return;
    this.#dialDue = false;
    const { host, port } = this.#target;
    const server = connect({ host, port, allowHalfOpen: true, noDelay: true });
    this.#server = server;
    this.#toClient = this.#lane(server, 'toClient');
    this.#toClient.latencyMs = this.#latency.toClient;
    this.#toClient.tail = this.#tail;
    this.#toClient.leadTo(this.#client);
    if (this.#pendingCut !== undefined) {
      this.#cutToClient(this.#pendingCut.bytes, this.#pendingCut.how);
    }
    server.once('connect', () => this.#toServer.leadTo(server));
  }

  #cutToClient(bytes: number, how: CutStyle): void {
    if (this.#toClient === undefined) this.#fulfilCut(how);
    else this.#toClient.cutAfter(bytes, how);
  }

  #setMode(mode: LaneMode): void {
    if (this.#mode === 'lost') return;
    this.#mode = mode;
    this.#toServer.mode = mode;
    if (this.#toClient !== undefined) this.#toClient.mode = mode;
  }

  #lane(source: Socket, direction: Direction): Lane {
    return new Lane(source, {
      forwarded: (bytes) => this.#count(direction, bytes),
      cut: (how) => this.#fulfilCut(how),
    });
  }

  #fulfilCut(how: CutStyle): void {
    if (how === 'rst') this.reset();
    else if (how === 'fin') this.end();
    else this.silence();
  }

  #count(direction: Direction, bytes: Buffer): void {
    this.bytes[direction] += bytes.length;
    this.#observer.forwarded(direction, bytes.length);
    if (direction === 'toServer') {
      this.#answerAwaited = true;
      const request = this.#cancelRequests.read(bytes);
      if (request !== undefined) this.#observer.cancelRequest(request);
    } else if (this.#answerAwaited) {
      this.#answerAwaited = false;
      this.roundTrips++;
      this.#observer.roundTrip();
    }
  }
}

function closeOf(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
