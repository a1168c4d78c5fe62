import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

/** Room for connections that nobody has accepted yet; systems add up to one. */
const BACKLOG = 1;
const FILLERS_AT_MOST = 16;
const FILLER_PATIENCE_MS = 300;

/**
 * A thread that listens and then stands still: once its backlog is full, the kernel drops further
 * connection requests, as a firewall does. The main thread cannot do it, since Node always accepts.
 */
const LISTENER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:net').createServer((socket) => socket.destroy());
  server.listen({ ...workerData.address, backlog: workerData.backlog, exclusive: true }, () => {
    parentPort.postMessage('listening');
    Atomics.wait(new Int32Array(workerData.gate), 0, 0);
    process.exit();
  });
`;

/** A port on which connection requests get no answer at all: neither accepted nor refused. */
export class UnansweredPort {
  readonly #worker: Worker;
  readonly #gate: Int32Array;
  readonly #fillers: Socket[] = [];

  private constructor(worker: Worker, gate: Int32Array) {
    this.#worker = worker;
    this.#gate = gate;
  }

  static async open(address: { readonly host: string; readonly port: number }) {
    const gate = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const worker = new Worker(LISTENER, {
      eval: true,
      workerData: { address, backlog: BACKLOG, gate },
    });
    const port = new UnansweredPort(worker, new Int32Array(gate));
    await once(worker, 'message');
    await port.#fill(address);
    return port;
  }

  async close(): Promise<void> {
    for (const filler of this.#fillers) filler.destroy();
    const exited = once(this.#worker, 'exit');
    Atomics.store(this.#gate, 0, 1);
    Atomics.notify(this.#gate, 0);
    await exited;
  }

  /** Connects until a request stays without an answer. */
  async #fill(address: { readonly host: string; readonly port: number }): Promise<void> {
    for (let filler = 0; filler < FILLERS_AT_MOST; filler++) {
      const socket = connect(address);
      socket.on('error', () => {});
      this.#fillers.push(socket);
      const abort = new AbortController();
      const answered = await Promise.race([
        once(socket, 'connect', { signal: abort.signal }).then(() => true),
        delay(FILLER_PATIENCE_MS, false, { signal: abort.signal }),
      ]);
      abort.abort();
      if (!answered) return;
    }
  }
}
