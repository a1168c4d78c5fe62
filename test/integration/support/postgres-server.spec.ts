import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { sleep } from '../../support/sleep.js';
import { PostgresServer } from '../../support/postgres/postgres-server.js';

describe('PostgresServer', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await PostgresServer.create();
    await server.start();
    await server.query('CREATE TABLE notes (text text)');
  });

  afterAll(() => server.remove());

  /** A connection whose end is awaited rather than thrown. */
  async function connect(): Promise<{ client: pg.Client; ended: Promise<void> }> {
    const client = new pg.Client(server.connectionString());
    client.on('error', () => {});
    const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
    await client.connect();
    return { client, ended };
  }

  it('is a PostgreSQL 18 on 127.0.0.1', async () => {
    const { rows } = await server.query<{ server_version_num: string; address: string }>(
      "SELECT current_setting('server_version_num') AS server_version_num, host(inet_server_addr()) AS address",
    );

    expect(Number(rows[0]!.server_version_num)).toBeGreaterThanOrEqual(180_000);
    expect(rows[0]!.address).toBe('127.0.0.1');
  });

  it('refuses a wrong password with 28P01', async () => {
    const client = new pg.Client(server.connectionString({ password: 'wrong' }));

    await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
  });

  it('leads users of their own by its connection string', async () => {
    await server.query("CREATE ROLE ann LOGIN PASSWORD 'p@ss/word'");
    await server.query('CREATE DATABASE "a b"');

    const { rows } = await server.query<{ who: string; where: string }>(
      'SELECT current_user AS who, current_database() AS where',
      [],
      { user: 'ann', password: 'p@ss/word', database: 'a b' },
    );

    expect(rows).toEqual([{ who: 'ann', where: 'a b' }]);
  });

  it('lets everybody in where trust was asked for', async () => {
    await using trusting = await PostgresServer.create({ auth: 'trust' });
    await trusting.start();

    await expect(trusting.query('SELECT 1', [], { password: 'wrong' })).resolves.toBeDefined();
  });

  it.each(['fast', 'immediate'] as const)(
    'ends its connections on a %s restart and keeps port and data',
    async (mode) => {
      const { port } = server;
      const { ended } = await connect();
      await server.query('INSERT INTO notes VALUES ($1)', [mode]);

      await server.restart(mode);
      await ended;

      expect(server.port).toBe(port);
      const { rowCount } = await server.query('SELECT FROM notes WHERE text = $1', [mode]);
      expect(rowCount).toBe(1);
    },
  );

  it('waits for its clients on a smart stop', async () => {
    const { client } = await connect();

    await expect(server.stop('smart', 200)).rejects.toMatchObject({ code: 'STOP_TIMED_OUT' });
    expect(server.running).toBe(true);
    await client.end();
    await server.stop('smart');

    expect(server.running).toBe(false);
    await server.start();
  });

  it('refuses connections while it is stopped', async () => {
    await server.stop();

    await expect(server.query('SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await server.start();
  });

  it('recovers what was committed after it was killed', async () => {
    const { ended } = await connect();
    await server.query("INSERT INTO notes VALUES ('before the kill')");

    await server.kill();
    await ended;
    expect(server.running).toBe(false);
    await server.start();

    const { rowCount } = await server.query("SELECT FROM notes WHERE text = 'before the kill'");
    expect(rowCount).toBe(1);
  });

  it('stands still while it is paused, and answers when it goes on', async () => {
    const { client } = await connect();
    let answered = false;

    server.pause();
    const answer = client.query('SELECT 1').then(() => (answered = true));
    const newcomer = connect();
    await sleep(150);
    expect(answered).toBe(false);
    expect(server.paused).toBe(true);
    server.continue();

    await answer;
    await (await newcomer).client.end();
    await client.end();
    expect(server.paused).toBe(false);
  });

  it('can be stopped and killed while it is paused', async () => {
    server.pause();
    await server.stop('fast');
    await server.start();
    server.pause();
    await server.kill();
    await server.start();

    await expect(server.query('SELECT 1')).resolves.toBeDefined();
  });

  it('takes new settings at once, tells which wait for a restart, and takes them back', async () => {
    const waiting = await server.setSettings({
      default_transaction_read_only: true,
      max_connections: 20,
    });

    expect(waiting).toEqual(['max_connections']);
    await expect(server.query("INSERT INTO notes VALUES ('x')")).rejects.toMatchObject({
      code: '25006',
    });
    await server.restart();
    const { rows } = await server.query<{ max: string }>(
      "SELECT current_setting('max_connections') AS max",
    );
    expect(rows[0]!.max).toBe('20');

    await server.setSettings({ default_transaction_read_only: undefined });
    await expect(server.query("INSERT INTO notes VALUES ('x')")).resolves.toBeDefined();
  });

  it('tells which settings the server refuses', async () => {
    await expect(server.setSettings({ statement_timeout: 'soon' })).rejects.toThrow(
      /statement_timeout/,
    );
    await server.setSettings({ statement_timeout: undefined });
  });

  it('names the verb that needs a running server', async () => {
    await server.stop();

    expect(() => server.pause()).toThrow(/Cannot pause the server .*: it is not running/);
    await server.start();
  });
});
