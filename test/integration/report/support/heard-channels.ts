import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { PoolChannelMessages } from '../../../../lib/index.js';

type Name = keyof PoolChannelMessages;

/** Listens to channels of the pools, and remembers what they were told, until it is disposed of. */
export class HeardChannels implements Disposable {
  readonly #heard: { readonly name: Name; readonly message: unknown }[] = [];
  readonly #stops: (() => void)[];

  constructor(...names: readonly Name[]) {
    this.#stops = names.map((name) => {
      const listen = (message: unknown): void => void this.#heard.push({ name, message });
      subscribe(name, listen);
      return () => unsubscribe(name, listen);
    });
  }

  of<N extends Name>(name: N): PoolChannelMessages[N][] {
    return this.#heard
      .filter((heard) => heard.name === name)
      .map(({ message }) => message as PoolChannelMessages[N]);
  }

  /** Everything that was published, as text: for what must not be in it. */
  get text(): string {
    return JSON.stringify(this.#heard);
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops) stop();
  }
}
