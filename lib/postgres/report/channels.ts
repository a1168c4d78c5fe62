import { type Channel, channel } from 'node:diagnostics_channel';
import type { PoolChannelMessages } from './channel-messages.js';

/** A channel that is published on only while somebody listens. */
export class PoolChannel<Name extends keyof PoolChannelMessages> {
  readonly #channel: Channel;

  constructor(name: Name) {
    this.#channel = channel(name);
  }

  /** To be asked before a message is made: nearly always nobody listens. */
  get isHeard(): boolean {
    return this.#channel.hasSubscribers;
  }

  /** A subscriber that throws is heard of as an uncaught exception, after the pool has gone on. */
  publish(message: PoolChannelMessages[Name]): void {
    this.#channel.publish(message);
  }
}

export const acquireChannel = new PoolChannel('nestjs-pools:acquire');
export const releaseChannel = new PoolChannel('nestjs-pools:release');
export const createChannel = new PoolChannel('nestjs-pools:create');
export const removeChannel = new PoolChannel('nestjs-pools:remove');
export const transactionChannel = new PoolChannel('nestjs-pools:transaction');
export const leakChannel = new PoolChannel('nestjs-pools:leak');
