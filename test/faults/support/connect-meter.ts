import { Socket } from 'node:net';

const INTERVAL_MS = 2;

/** Makes a pool's sockets, and counts them where not even a refused connect escapes. */
export class ConnectMeter {
  attempts = 0;
  /** Most sockets that were open, or being opened, at the same time. */
  mostAtOnce = 0;
  readonly #sockets = new Set<Socket>();

  get open(): number {
    return this.#sockets.size;
  }

  /** For the option `stream`. */
  readonly stream = (): Socket => {
    const socket = new Socket();
    this.attempts += 1;
    this.#sockets.add(socket);
    this.mostAtOnce = Math.max(this.mostAtOnce, this.open);
    return socket.once('close', () => this.#sockets.delete(socket));
  };

  /** Counts anew from here. */
  restart(): void {
    this.attempts = 0;
    this.mostAtOnce = this.open;
  }

  /**
   * Counts the open sockets that the server has answered on: a cancel request never is answered.
   * Returns how to stop, which tells the most that there were at the same time.
   */
  watchSessions(): () => number {
    let most = 0;
    const count = () => {
      const answered = [...this.#sockets].filter(({ bytesRead }) => bytesRead > 0);
      most = Math.max(most, answered.length);
    };
    const timer = setInterval(count, INTERVAL_MS);
    return () => {
      clearInterval(timer);
      return most;
    };
  }
}
