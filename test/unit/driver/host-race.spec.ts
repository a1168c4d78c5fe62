import { beforeEach, describe, expect, it } from '@jest/globals';
import { HostsFailedError } from '../../../lib/errors/hosts-failed.error.js';
import { TimeLimitError } from '../../../lib/errors/time-limit.error.js';
import { WrongServerRoleError } from '../../../lib/errors/wrong-server-role.error.js';
import { isPermanentConnectError } from '../../../lib/postgres/driver/error-rules.js';
import { HostOrder } from '../../../lib/postgres/driver/host-order.js';
import { HostRace } from '../../../lib/postgres/driver/host-race.js';
import { VirtualClock } from '../../support/engine/virtual-clock.js';

const A = { host: 'a', port: 1 };
const B = { host: 'b', port: 2 };
const C = { host: 'c', port: 3 };

interface Try {
  readonly host: string;
  readonly at: number;
  readonly signal: AbortSignal;
  accept(): void;
  refuse(error: unknown): void;
}

const wrongRole = (host = 'b', port = 2) =>
  new WrongServerRoleError('orders', { host, port, found: 'replica', wanted: 'primary' });
const socketError = (code: string) => Object.assign(new Error('socket'), { code });

describe('a race of hosts', () => {
  let clock: VirtualClock;
  let tries: Try[];
  let discarded: string[];
  let stop: AbortController;
  beforeEach(() => {
    clock = new VirtualClock();
    tries = [];
    discarded = [];
    stop = new AbortController();
  });

  const race = (hosts = [A, B, C]) => {
    const running = new HostRace<string>({
      pool: 'orders',
      hosts,
      clock,
      attempt: ({ host }, signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('given up')));
          const at = clock.now();
          tries.push({ host, at, signal, accept: () => resolve(host), refuse: reject });
        }),
      discard: (late) => discarded.push(late),
    });
    const outcome = running.run(stop.signal).catch((error: unknown) => error);
    return outcome as Promise<string | Error>;
  };
  const tried = () => tries.map(({ host, at }) => `${host} at ${at}`);

  it('asks the first alone while it answers', async () => {
    const winner = race();
    tries[0]!.accept();
    expect(await winner).toBe('a');
    expect(tried()).toEqual(['a at 0']);
    expect(clock.pending).toEqual({ keeping: 0, tending: 0 });
  });

  it('asks the next after a quarter of a second of silence, or at once after a failure', async () => {
    const winner = race();
    await clock.advance(249);
    expect(tried()).toEqual(['a at 0']);
    await clock.advance(1);
    expect(tried()).toEqual(['a at 0', 'b at 250']);
    tries[1]!.refuse(wrongRole());
    await clock.advance(0);
    expect(tried()).toEqual(['a at 0', 'b at 250', 'c at 250']);
    tries[2]!.accept();
    expect(await winner).toBe('c');
    expect(tries[0]!.signal.aborted).toBe(true);
    expect(clock.pending).toEqual({ keeping: 0, tending: 0 });
  });

  it('throws away what comes through too late', async () => {
    const winner = race();
    await clock.advance(250);
    tries[0]!.accept();
    tries[1]!.accept();
    expect(await winner).toBe('a');
    await clock.advance(0);
    expect(discarded).toEqual(['b']);
  });

  it('asks those that were refused again, while another is silent', async () => {
    const winner = race([A, B]);
    await clock.advance(250);
    tries[1]!.refuse(wrongRole());
    await clock.advance(250);
    expect(tried()).toEqual(['a at 0', 'b at 250', 'b at 500']);
    tries[2]!.refuse(wrongRole());
    await clock.advance(500);
    expect(tried().at(-1)).toBe('b at 1000');
    tries[3]!.accept();
    expect(await winner).toBe('b');
  });

  it('ends when all have failed, with what they said', async () => {
    const outcome = race([A, B]);
    tries[0]!.refuse(socketError('ECONNREFUSED'));
    await clock.advance(0);
    tries[1]!.refuse(socketError('28P01'));
    const error = await outcome;
    expect(error).toBeInstanceOf(HostsFailedError);
    expect((error as Error).message).toContain('a:1 ECONNREFUSED, b:2 28P01');
    expect(isPermanentConnectError(error, 1)).toBe(false);
    expect(clock.pending).toEqual({ keeping: 0, tending: 0 });
  });

  it('is hopeless only when it is so for all', async () => {
    const outcome = race([A, B]);
    tries[0]!.refuse(socketError('3D000'));
    await clock.advance(0);
    tries[1]!.refuse(socketError('28P01'));
    expect(isPermanentConnectError(await outcome, 1)).toBe(true);
    expect(isPermanentConnectError(wrongRole(), 100)).toBe(false);
  });

  it('tells a wrong role before anything else', async () => {
    const outcome = race([A, B]);
    tries[0]!.refuse(socketError('ECONNREFUSED'));
    await clock.advance(0);
    tries[1]!.refuse(wrongRole());
    expect(await outcome).toMatchObject({
      code: 'POOL_WRONG_SERVER_ROLE',
      host: 'b',
      message: expect.stringContaining(
        "b:2 is a replica, and role is 'primary' (a:1 ECONNREFUSED)",
      ),
    });
  });

  it('tells the error of an only host as it is', async () => {
    const error = socketError('ECONNREFUSED');
    const outcome = race([A]);
    tries[0]!.refuse(error);
    expect(await outcome).toBe(error);
  });

  it('ends with the signal, all attempts given up, and tells what it has heard', async () => {
    const limit = new TimeLimitError('orders', 'connect', 1_000);
    const silent = race();
    stop.abort(limit);
    expect(await silent).toBe(limit);

    stop = new AbortController();
    const halfSilent = race([A, B]);
    await clock.advance(250);
    tries.at(-1)!.refuse(wrongRole());
    await clock.advance(0);
    stop.abort(limit);
    expect(await halfSilent).toMatchObject({
      code: 'POOL_WRONG_SERVER_ROLE',
      message: expect.stringContaining('(a:1 POOL_TIME_LIMIT)'),
    });
    expect(clock.pending).toEqual({ keeping: 0, tending: 0 });

    tries = [];
    expect(await race()).toBe(limit);
    expect(tries).toEqual([]);
  });
});

describe('the order of hosts', () => {
  const names = (order: HostOrder) =>
    order
      .next()
      .map(({ host }) => host)
      .join('');
  const hosts = [A, B, C];

  it('begins with the one that was right the last time', () => {
    const order = new HostOrder({ hosts, role: undefined, loadBalanceHosts: 'disable' });
    expect(names(order)).toBe('abc');
    order.wasRight(B);
    expect(names(order)).toBe('bac');
  });

  it('is drawn by lot for every connection, but for the only primary', () => {
    const lots = (role: 'primary' | 'replica') => {
      const order = new HostOrder({ hosts, role, loadBalanceHosts: 'random' });
      order.wasRight(C);
      return new Set(Array.from({ length: 200 }, () => names(order)[0]));
    };
    expect(lots('replica')).toEqual(new Set(['a', 'b', 'c']));
    expect(lots('primary')).toEqual(new Set(['c']));
  });
});
