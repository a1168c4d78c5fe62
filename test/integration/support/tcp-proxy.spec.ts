import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { eventually } from '../../support/eventually.js';
import { sleep } from '../../support/sleep.js';
import { reset } from '../../support/tcp-proxy/reset.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';

/** Long enough to see that nothing comes, short enough for a quick run. */
const SILENCE_MS = 60;

/** Answers each byte in kind, with a sign in front when asked to. */
class EchoServer {
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  constructor(readonly sign = '') {
    this.#server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', (bytes) => socket.write(this.sign + bytes.toString()));
    });
  }

  get address(): { host: string; port: number } {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  async open(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A client that remembers all it heard, and how its connection ended. */
class Listener {
  heard = '';
  end: string | undefined;
  readonly #socket: Socket;

  constructor({ host, port }: { host: string; port: number }) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on('data', (bytes) => (this.heard += bytes.toString()));
    this.#socket.on('end', () => (this.end ??= 'FIN'));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => (this.end ??= error.code));
  }

  get connected(): boolean {
    return !this.#socket.connecting && !this.#socket.destroyed;
  }

  say(text: string): this {
    this.#socket.write(text);
    return this;
  }

  leave(): void {
    this.#socket.destroy();
  }

  hangUp(): void {
    this.#socket.end();
  }
}

function expectToHear(listener: Listener, text: string): Promise<void> {
  return eventually(() => expect(listener.heard).toBe(text), { intervalMs: 2 });
}

function expectToEnd(listener: Listener, how: string): Promise<void> {
  return eventually(() => expect(listener.end).toBe(how), { intervalMs: 2 });
}

describe('TcpProxy', () => {
  let server: EchoServer;
  let proxy: TcpProxy;
  let clients: Listener[];

  beforeEach(async () => {
    clients = [];
    server = await new EchoServer().open();
    proxy = await TcpProxy.to(server.address);
  });

  afterEach(async () => {
    for (const each of clients) each.leave();
    await proxy.close();
    await server.close();
  });

  function client(): Listener {
    const listener = new Listener(proxy);
    clients.push(listener);
    return listener;
  }

  /** A client whose connection is known to stand. */
  async function standing(): Promise<Listener> {
    const listener = client().say('hello');
    await expectToHear(listener, 'hello');
    listener.heard = '';
    return listener;
  }

  it('passes bytes both ways, and the end of either side', async () => {
    const one = await standing();
    one.hangUp();
    await expectToEnd(one, 'FIN');

    const other = await standing();
    server.sockets.at(-1)!.end();
    await expectToEnd(other, 'FIN');
  });

  it('passes a reset on to the other side', async () => {
    const one = await standing();

    reset(server.sockets[0]!);

    await expectToEnd(one, 'ECONNRESET');
  });

  it('resets the client when the server cannot be reached', async () => {
    proxy.retarget({ host: '127.0.0.1', port: 1 });

    await expectToEnd(client().say('x'), 'ECONNRESET');
  });

  it('passes more than its own memory holds to a slow reader', async () => {
    const size = 8 << 20;
    const source = createServer((socket) => socket.end(Buffer.alloc(size, 'x')));
    source.listen(0, '127.0.0.1');
    await once(source, 'listening');
    proxy.retarget({ host: '127.0.0.1', port: (source.address() as AddressInfo).port });
    const slow = connect({ host: proxy.host, port: proxy.port });
    let read = 0;
    slow.on('data', (bytes) => {
      read += bytes.length;
      slow.pause();
      setImmediate(() => slow.resume());
    });

    await once(slow, 'end');

    expect(read).toBe(size);
    expect(proxy.counts.bytesToClient).toBe(size);
    slow.destroy();
    source.close();
  });

  describe('pause and resume', () => {
    it('hold what is sent, and lose nothing', async () => {
      const one = await standing();

      await proxy.pause();
      one.say('later');
      server.sockets[0]!.write('news ');
      await sleep(SILENCE_MS);
      expect(one.heard).toBe('');
      await proxy.resume();

      await expectToHear(one, 'news later');
    });

    it('hold ends and resets too', async () => {
      const one = await standing();
      const other = await standing();

      await proxy.pause();
      server.sockets[0]!.end();
      reset(server.sockets[1]!);
      await sleep(SILENCE_MS);
      expect([one.end, other.end]).toEqual([undefined, undefined]);
      await proxy.resume();

      await expectToEnd(one, 'FIN');
      await expectToEnd(other, 'ECONNRESET');
    });

    it('let new connections in without a word, and serve them afterwards', async () => {
      await proxy.pause();
      const newcomer = client().say('hello');
      await eventually(() => newcomer.connected);
      await sleep(SILENCE_MS);
      expect(newcomer.heard).toBe('');
      expect(server.sockets).toHaveLength(0);

      await proxy.resume();

      await expectToHear(newcomer, 'hello');
    });

    it('leave new connections without an answer where that is asked for', async () => {
      const one = await standing();
      await proxy.pause({ connects: 'unanswered' });
      const newcomer = client().say('hello');
      await sleep(SILENCE_MS);
      expect(newcomer.connected).toBe(false);
      expect(newcomer.end).toBeUndefined();

      await proxy.resume();

      await expectToHear(newcomer, 'hello');
      await expectToHear(one.say('still here'), 'still here');
    });
  });

  describe('blackhole and heal', () => {
    it('lose what is sent for good, ends included, and tell nobody', async () => {
      const one = await standing();

      await proxy.blackhole();
      one.say('lost');
      server.sockets[0]!.end('lost too');
      await sleep(SILENCE_MS);
      await proxy.heal();
      one.say('lost as well');
      await sleep(SILENCE_MS);

      expect(one.heard).toBe('');
      expect(one.end).toBeUndefined();
    });

    it('let new connections work after the heal only', async () => {
      await proxy.blackhole();
      const early = client().say('early');
      await eventually(() => early.connected);
      await sleep(SILENCE_MS);
      await proxy.heal();

      await expectToHear(client().say('late'), 'late');
      expect(early.heard).toBe('');
    });

    it('leave the client waiting who hangs up in order', async () => {
      const one = await standing();

      await proxy.blackhole();
      one.hangUp();
      await sleep(SILENCE_MS);

      expect(one.end).toBeUndefined();
    });
  });

  it('forgets connections like a firewall, while new ones work', async () => {
    const old = await standing();

    proxy.forget();
    old.say('anybody?');

    await expectToHear(client().say('new'), 'new');
    expect(old.heard).toBe('');
    expect(old.end).toBeUndefined();
  });

  it('resets all connections that stand, on both sides', async () => {
    const one = await standing();
    const serverSide = new Promise((resolve) => server.sockets[0]!.once('error', resolve));

    proxy.reset();

    await expectToEnd(one, 'ECONNRESET');
    expect(await serverSide).toMatchObject({ code: 'ECONNRESET' });
    await expectToHear(client().say('next'), 'next');
  });

  it('refuses new connections and takes them again on the same port', async () => {
    const old = await standing();

    await proxy.refuse();
    await expectToEnd(client(), 'ECONNREFUSED');
    await expectToHear(old.say('I stay'), 'I stay');
    await proxy.accept();

    await expectToHear(client().say('back'), 'back');
  });

  it('refuses by reset where attempts are to be counted', async () => {
    await proxy.refuse({ how: 'reset' });
    await expectToEnd(client(), 'ECONNRESET');
    await expectToEnd(client(), 'ECONNRESET');
    await proxy.accept();
    await standing();

    expect(proxy.counts).toMatchObject({ attempts: 3, accepted: 1 });
  });

  it('delays bytes and ends in each direction, in order', async () => {
    const one = await standing();
    proxy.latency({ toServer: 40, toClient: 30 });
    const start = performance.now();

    one.say('a');
    await sleep(5);
    one.say('b');
    one.hangUp();

    await expectToHear(one, 'ab');
    expect(performance.now() - start).toBeGreaterThanOrEqual(69);
    await expectToEnd(one, 'FIN');
  });

  it('delays the connect to the server', async () => {
    proxy.connectLatency(60);
    const start = performance.now();

    await expectToHear(client().say('x'), 'x');

    expect(performance.now() - start).toBeGreaterThanOrEqual(59);
  });

  it.each([
    ['rst', 'ECONNRESET'],
    ['fin', 'FIN'],
    ['silence', undefined],
  ] as const)('cuts at an exact byte by %s', async (how, end) => {
    for (const bytes of [0, 1, 3]) {
      proxy.cutAfter(bytes, { how, connections: 'next' });
      const cut = client().say('abcdef');

      await expectToHear(cut, 'abcdef'.slice(0, bytes));
      if (end !== undefined) await expectToEnd(cut, end);
      await sleep(10);
      expect(cut.heard).toHaveLength(bytes);
      expect(cut.end).toBe(end);
    }
    await expectToHear(client().say('whole'), 'whole');
  });

  it('cuts the way to the server at an exact byte', async () => {
    proxy.cutAfter(2, { direction: 'toServer', how: 'silence' });
    const cut = client().say('abc');

    await eventually(() => expect(proxy.counts.bytesToServer).toBe(2));
    await sleep(10);

    expect(cut.heard).toBe('');
    proxy.cutNoMore();
    await expectToHear(client().say('whole'), 'whole');
  });

  it('cuts standing connections, counted from now', async () => {
    const one = await standing();
    proxy.cutAfter(4, { connections: 'all' });

    one.say('abc');
    await expectToHear(one, 'abc');
    one.say('def');

    await expectToEnd(one, 'ECONNRESET');
    expect(one.heard).toBe('abcd');
  });

  it('leads new connections elsewhere, while those that stand remain', async () => {
    const elsewhere = await new EchoServer('>').open();
    const old = await standing();

    proxy.retarget(elsewhere.address);
    await expectToHear(client().say('new'), '>new');
    await expectToHear(old.say('old'), 'old');

    await elsewhere.close();
  });

  it('counts connections, bytes and round trips', async () => {
    const one = await standing();
    await standing();
    expect(proxy.openConnections).toBe(2);

    server.sockets[0]!.write('unasked');
    await expectToHear(one, 'unasked');
    one.leave();

    await eventually(() => expect(proxy.openConnections).toBe(1));
    expect(proxy.counts).toEqual({
      attempts: 2,
      accepted: 2,
      bytesToServer: 10,
      bytesToClient: 17,
      roundTrips: 2,
    });
  });

  it('shows each new connection before its first byte', async () => {
    const stop = proxy.onConnection((connection) => {
      if (connection.id === 1) connection.silence();
    });
    const first = client().say('first');
    await expectToHear(client().say('second'), 'second');
    stop();

    expect(first.heard).toBe('');
    expect(proxy.connections.map(({ id }) => id)).toEqual([1, 2]);
  });

  it('leaves nothing behind when it is closed in the middle of everything', async () => {
    const one = await standing();
    proxy.latency(60_000);
    proxy.connectLatency(60_000);
    one.say('under way');
    client();
    await eventually(() => expect(proxy.openConnections).toBe(2));
    await proxy.pause({ connects: 'unanswered' });

    await proxy.close();

    expect(proxy.openConnections).toBe(0);
    await expectToEnd(client(), 'ECONNREFUSED');
  });
});
