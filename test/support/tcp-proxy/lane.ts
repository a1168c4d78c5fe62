import type { Socket } from 'node:net';
import { reset } from './reset.js';

export type Direction = 'toServer' | 'toClient';

/** Bytes travel, wait in their place, or are lost for ever. */
export type LaneMode = 'flowing' | 'held' | 'lost';

/** How a connection ends at a cut: by reset, by an orderly end, or without a word. */
export type CutStyle = 'rst' | 'fin' | 'silence';

export interface LaneObserver {
  forwarded(bytes: Buffer): void;
  cut(how: CutStyle): void;
}

/** The last bytes of whatever arrives at once, and how much later than the rest they go on. */
export interface Tail {
  readonly bytes: number;
  readonly ms: number;
}

interface Parcel {
  readonly dueAt: number;
  /** What travels: bytes, or the end of the stream in one of its two ways. */
  readonly load: Buffer | 'fin' | 'rst';
}

const QUEUE_LIMIT_BYTES = 1 << 20;

/** A reader who finds bytes and a reset at once takes the reset for an orderly end (libuv does): the bytes go ahead. */
const READ_BEFORE_RESET_MS = 2;

/** One direction of a connection: from where bytes come to where they go, with what happens on the way. */
export class Lane {
  readonly #source: Socket;
  readonly #observer: LaneObserver;
  readonly #queue: Parcel[] = [];
  #queuedBytes = 0;
  #sink: Socket | undefined;
  #mode: LaneMode = 'flowing';
  #latencyMs = 0;
  #tail: Tail = { bytes: 0, ms: 0 };
  #cut: { bytesLeft: number; readonly how: CutStyle } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #cutTimer: NodeJS.Timeout | undefined;
  #cutImmediate: NodeJS.Immediate | undefined;
  #full = false;

  constructor(source: Socket, observer: LaneObserver) {
    this.#source = source;
    this.#observer = observer;
    source.on('data', (bytes: Buffer) => this.#take(bytes));
    source.on('end', () => this.#take('fin'));
    source.on('error', () => this.#take('rst'));
  }

  /** Where the bytes go, once that end is connected. */
  leadTo(sink: Socket): void {
    this.#sink = sink;
    sink.on('drain', () => {
      this.#full = false;
      this.#pump();
    });
    this.#pump();
  }

  set mode(mode: LaneMode) {
    if (mode === 'lost') this.#forget();
    if (this.#mode === 'lost') return;
    this.#mode = mode;
    this.#pump();
  }

  /** Delay of everything that arrives from now on. */
  set latencyMs(ms: number) {
    this.#latencyMs = ms;
  }

  /** Parts the end of whatever arrives from now on from the rest. */
  set tail(tail: Tail) {
    this.#tail = tail;
  }

  /** Cuts when exactly this many more bytes have gone through. */
  cutAfter(bytes: number, how: CutStyle): void {
    if (bytes === 0) this.#observer.cut(how);
    else this.#cut = { bytesLeft: bytes, how };
  }

  #take(load: Parcel['load']): void {
    if (this.#mode === 'lost') return;
    const { bytes, ms } = this.#tail;
    if (typeof load === 'string' || bytes === 0 || load.length <= bytes) {
      this.#enqueue(load, this.#latencyMs);
    } else {
      this.#enqueue(load.subarray(0, -bytes), this.#latencyMs);
      this.#enqueue(load.subarray(-bytes), this.#latencyMs + ms);
    }
    this.#pump();
  }

  #enqueue(load: Parcel['load'], afterMs: number): void {
    this.#queue.push({ dueAt: performance.now() + afterMs, load });
    this.#queuedBytes += sizeOf(load);
  }

  #pump(): void {
    clearTimeout(this.#timer);
    while (this.#mode === 'flowing' && this.#sink !== undefined && !this.#full) {
      const parcel = this.#queue[0];
      if (parcel === undefined) break;
      const waitMs = parcel.dueAt - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#pump(), waitMs);
        break;
      }
      this.#queue.shift();
      this.#queuedBytes -= sizeOf(parcel.load);
      this.#deliver(parcel.load, this.#sink);
    }
    this.#throttle();
  }

  #deliver(load: Parcel['load'], sink: Socket): void {
    if (sink.destroyed) return;
    if (load === 'fin') {
      sink.end();
    } else if (load === 'rst') {
      reset(sink);
    } else if (this.#cut !== undefined && load.length >= this.#cut.bytesLeft) {
      this.#deliverLast(load.subarray(0, this.#cut.bytesLeft), this.#cut.how, sink);
    } else {
      if (this.#cut !== undefined) this.#cut.bytesLeft -= load.length;
      this.#observer.forwarded(load);
      this.#full = !sink.write(load);
    }
  }

  /** The cut waits until the bytes before it have left, and until they are read where that matters. */
  #deliverLast(bytes: Buffer, how: CutStyle, sink: Socket): void {
    this.mode = 'lost';
    this.#observer.forwarded(bytes);
    const cut = (): void => this.#observer.cut(how);
    sink.write(bytes, (error) => {
      if (error) return;
      // And not before the loop has looked for what there is to read, however late the timer is.
      const cutAfterReads = (): void => void (this.#cutImmediate = setImmediate(cut));
      if (how === 'rst') this.#cutTimer = setTimeout(cutAfterReads, READ_BEFORE_RESET_MS);
      else cut();
    });
  }

  /** A reader who does not read fills the sender's window, as a stuck network does. */
  #throttle(): void {
    const reads =
      this.#mode === 'lost' || (this.#mode === 'flowing' && this.#queuedBytes < QUEUE_LIMIT_BYTES);
    if (reads) this.#source.resume();
    else this.#source.pause();
  }

  /** No byte is kept, and no timer is left. */
  #forget(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#cutTimer);
    clearImmediate(this.#cutImmediate);
    this.#queue.length = 0;
    this.#queuedBytes = 0;
  }
}

function sizeOf(load: Parcel['load']): number {
  return typeof load === 'string' ? 0 : load.length;
}
