import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { connect as connectSocket } from 'node:net';
import pg from 'pg';
import { ChildProgram } from '../../support/child-program.js';
import { eventually } from '../../support/eventually.js';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';

describe('TcpProxy before a PostgreSQL', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;

  beforeAll(async () => {
    database = await testDatabase();
  });

  afterAll(() => database.drop());

  beforeEach(async () => {
    proxy = await TcpProxy.to(database);
  });

  afterEach(() => proxy.close());

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client(proxy.through(database.connectionString));
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  it('counts one round trip for a query, however large its answer', async () => {
    const client = await connect();
    const before = proxy.counts.roundTrips;

    await client.query("SELECT repeat('x', 1000) FROM generate_series(1, 1000)");
    await client.query('SELECT $1::int', [1]);

    expect(proxy.counts.roundTrips - before).toBe(2);
    await client.end();
  });

  it('remembers cancel requests, whom they mean and what proves them', async () => {
    const client = await connect();
    const { processID, secretKey } = client as unknown as Record<string, number>;
    const sleeping = client.query('SELECT pg_sleep(60)');
    const packet = Buffer.alloc(16);
    [16, 80_877_102, processID!, secretKey!].forEach((word, at) =>
      packet.writeInt32BE(word, at * 4),
    );

    // In two pieces, as a network may bring it.
    const socket = connectSocket(proxy).setNoDelay(true);
    socket.write(packet.subarray(0, 6));
    await eventually(() => proxy.counts.accepted === 2);
    socket.end(packet.subarray(6));

    await expect(sleeping).rejects.toMatchObject({ code: '57014' });
    expect(proxy.cancelRequests).toEqual([
      { processId: processID, secretKey: packet.subarray(12) },
    ]);
    await client.end();
  });

  it('cuts a session inside its rows, and lets the next one through', async () => {
    const client = await connect();
    const [connection] = proxy.connections;

    connection!.cutAfter(100, 'toClient', 'rst');
    const rows = client.query('SELECT generate_series(1, 1000)');

    await expect(rows).rejects.toThrow();
    const next = await connect();
    await expect(next.query('SELECT 1')).resolves.toBeDefined();
    await next.end();
  });

  it('keeps no program alive after it was closed', async () => {
    await using program = ChildProgram.run(
      new URL('./fixtures/proxy-program.ts', import.meta.url),
      { args: [database.connectionString] },
    );

    expect(await program.ends()).toMatchObject({ code: 0, stdout: 'closed\n', stderr: '' });
  });
});
