import type { EventEmitter } from 'node:events';

export type Listener = (...args: never[]) => unknown;

type Registration = Listener & { readonly listener: Listener; readonly holder: object };
type Verb = 'on' | 'prependListener';

/**
 * The listeners that a borrower adds to a connection: they leave with it, and the borrower can
 * take away no others, neither the pool's own nor those of the next borrower.
 */
export class LeaseListeners {
  readonly #registered: [event: string | symbol, registration: Registration][] = [];

  /** @param holder the handle that they were added through: it is in use while one of them stands */
  constructor(private readonly holder: object) {}

  add(emitter: EventEmitter, verb: Verb, event: string | symbol, listener: Listener): void {
    this.#register(emitter, verb, event, listener, (...args) => listener(...args));
  }

  addOnce(emitter: EventEmitter, verb: Verb, event: string | symbol, listener: Listener): void {
    this.#register(emitter, verb, event, listener, (...args) => {
      this.remove(emitter, event, listener);
      return listener(...args);
    });
  }

  /** Takes away what was added last of this listener, as Node does. */
  remove(emitter: EventEmitter, event: string | symbol, listener: Listener): void {
    const at = this.#registered.findLastIndex(
      ([name, registration]) => name === event && registration.listener === listener,
    );
    if (at < 0) return;
    const [[, registration]] = this.#registered.splice(at, 1) as [[unknown, Registration]];
    emitter.removeListener(event, registration as never);
  }

  /** Takes away all that were added, of one event or of every. */
  removeAll(emitter: EventEmitter, event?: string | symbol): void {
    for (const [name, { listener }] of this.#registered.slice()) {
      if (event === undefined || name === event) this.remove(emitter, name, listener);
    }
  }

  #register(
    emitter: EventEmitter,
    verb: Verb,
    event: string | symbol,
    listener: Listener,
    call: Listener,
  ): void {
    // Node shows `listener` where a listener is asked for by name, as for its own `once`.
    const registration = Object.assign(call, { listener, holder: this.holder });
    this.#registered.push([event, registration]);
    emitter[verb](event, registration as never);
  }
}
