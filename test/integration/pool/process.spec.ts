import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConnectFailedError, Pool } from '../../../lib/index.js';
import { ChildProgram, type ProgramEnd } from '../../support/child-program.js';
import { PostgresServer } from '../../support/postgres/postgres-server.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { RecordingLog } from './support/recording-log.js';
import { testPools } from './support/test-pools.js';

const pools = testPools();

function program(name: string): URL {
  return new URL(`./fixtures/${name}.ts`, import.meta.url);
}

/** Programs with a connection in every state, one of which listens to errors and one does not. */
class Survivors implements AsyncDisposable {
  readonly #programs: ChildProgram[];

  constructor(connectionString: string) {
    this.#programs = ['listens', 'does not listen'].map((habit) =>
      ChildProgram.run(program('survivor'), { args: [connectionString, habit] }),
    );
  }

  async inPlace(): Promise<void> {
    for (const survivor of this.#programs) await survivor.says(/in place/);
  }

  ends(): Promise<ProgramEnd[]> {
    return Promise.all(this.#programs.map((survivor) => survivor.ends()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((survivor) => survivor[Symbol.asyncDispose]()));
  }
}

/** Both have told their callers, gone on with their work, and ended in order. */
async function expectToSurvive(survivors: Survivors): Promise<void> {
  const ends = await survivors.ends();
  for (const { code, signal, stdout, stderr } of ends) {
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: expect.anything() });
    expect(stderr).not.toMatch(/uncaught|unhandled|node:internal/i);
    expect(stdout).toMatch(/at work: (57P01|ECONNRESET|POOL_CONNECTION_LOST)/);
    expect(stdout).toMatch(/held: (?!fine)/);
    expect(stdout).toMatch(/recovered, 0 lent out\nended\n$/);
  }
  const [listening, silent] = ends;
  expect(listening!.stdout).toContain('heard of the idle one');
  expect(listening!.stdout).toContain('heard of the held one');
  expect(silent!.stdout).not.toContain('heard');
}

describe('a process with connections idle, lent out and at work', () => {
  it('lives on when an administrator terminates them', async () => {
    await using survivors = new Survivors(pools.database.connectionString);
    await survivors.inPlace();

    await pools.database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );

    await expectToSurvive(survivors);
  });

  it('lives on when the network resets them', async () => {
    await using proxy = await TcpProxy.to(pools.database);
    await using survivors = new Survivors(proxy.through(pools.database.connectionString));
    await survivors.inPlace();

    proxy.reset();

    await expectToSurvive(survivors);
  });
});

describe('with a server of its own', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.create();
    await server.start();
  });
  afterAll(() => server.remove());

  it('a process lives on when the server stops and starts again', async () => {
    await using survivors = new Survivors(server.connectionString());
    await survivors.inPlace();

    await server.restart('fast');

    await expectToSurvive(survivors);
  });

  it('a wrong password is told at once, with the error of the server as the cause', async () => {
    const connectionString = server.connectionString({ user: 'postgres', password: 'wrong' });
    const log = new RecordingLog();
    const pool = new Pool({ connectionString }, { name: 'orders', log });

    const error = (await pool.query('SELECT 1').catch((reason: unknown) => reason)) as Error;

    expect(error).toBeInstanceOf(ConnectFailedError);
    expect(error).toMatchObject({ cause: { code: '28P01', severity: 'FATAL' } });
    expect([error.message, ...log.warnings].join()).not.toContain('wrong');
    await pool.end();
  });

  it('a password that has changed is asked for at the next connection', async () => {
    await server.query("CREATE ROLE shop LOGIN PASSWORD 'old'");
    let password = 'old';
    const pool = new Pool(
      {
        connectionString: server.connectionString({ user: 'shop', password: '' }),
        password: () => Promise.resolve(password),
        max: 1,
      },
      { name: 'orders', log: new RecordingLog() },
    );
    await pool.query('SELECT 1');

    await server.query("ALTER ROLE shop PASSWORD 'new'");
    await pool.use((client) => client.release(true));
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ cause: { code: '28P01' } });
    password = 'new';

    // At once, although newcomers are told the last refusal for a while otherwise.
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await pool.end();
  });

  it('a password function that fails is asked again until the deadline', async () => {
    const right = new URL(server.connectionString()).password;
    let asked = 0;
    const pool = new Pool(
      {
        connectionString: server.connectionString({ user: 'postgres', password: '' }),
        password: async () => {
          asked += 1;
          if (asked < 3) throw new Error('the vault is sealed');
          return right;
        },
      },
      { name: 'orders', log: new RecordingLog() },
    );

    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    expect(asked).toBe(3);
    await pool.end();
  });
});

describe('a process', () => {
  it.each([
    ['when its pool has ended', 'end'],
    ['while its pool is idle, with allowExitOnIdle', 'idle'],
  ])('exits by itself %s', async (_when, how) => {
    await using child = ChildProgram.run(program('leaves-by-itself'), {
      args: [pools.database.connectionString, how],
    });

    expect(await child.ends()).toEqual({
      code: 0,
      signal: null,
      stdout: 'nothing left to do\n',
      // One of its acquires was to be in vain.
      stderr: expect.stringMatching(
        /^\(node:\d+\) PoolWarning: pool: 2 of 2 lent, nobody waits; held/,
      ),
    });
  });

  it('stays while its pool is open otherwise', async () => {
    await using child = ChildProgram.run(program('leaves-by-itself'), {
      args: [pools.database.connectionString, 'neither'],
    });
    await child.says(/nothing left to do/);

    await expect(child.ends(300)).rejects.toThrow(/did not end within 300 ms/);
  });

  it('is not warned by node-postgres when it starts statements together', async () => {
    await using child = ChildProgram.run(program('statements-together'), {
      args: [pools.database.connectionString],
    });

    expect(await child.ends()).toEqual({
      code: 0,
      signal: null,
      stdout: '1,2,3\n',
      stderr: '',
    });
  });

  it('hears of listeners that throw, and its pool goes on', async () => {
    await using child = ChildProgram.run(program('throwing-listeners'), {
      args: [pools.database.connectionString],
    });

    const { code, stdout } = await child.ends();

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      heard: ['acquire', 'connect', 'release', 'remove'],
      total: 1,
      idle: 1,
      leased: 0,
      waiting: 0,
    });
  });
});
